/* SPDX-License-Identifier: Apache-2.0 */
#include "base/glob.h"

#include <string.h>

steme_status glob_check(struct steme_slice pattern, const char *what, struct steme_error *err)
{
    for (size_t i = 0; i < pattern.size; i++) {
        if (pattern.data[i] != '\\') continue;
        if (++i == pattern.size)
            return error_set(err, STEME_BAD_INPUT,
                             "%s ends in a backslash that escapes nothing; write \\\\ for a backslash", what);
    }
    return STEME_OK;
}

bool glob_is_name(struct steme_slice pattern)
{
    for (size_t i = 0; i < pattern.size; i++)
        if (pattern.data[i] == '*' || pattern.data[i] == '?' || pattern.data[i] == '\\') return false;
    return pattern.size > 0;
}

/* Where the character that begins at `at` ends: behind its continuation bytes. */
static size_t next_character(struct steme_slice text, size_t at)
{
    at++;
    while (at < text.size && (text.data[at] & 0xC0) == 0x80)
        at++;
    return at;
}

/* One step of both, if what stands at *p in the pattern, which is no star, matches at *n in the name. */
static bool step(struct steme_slice pattern, size_t *p, struct steme_slice name, size_t *n)
{
    if (pattern.data[*p] == '?') {
        ++*p;
        *n = next_character(name, *n);
        return true;
    }
    size_t at = *p + (pattern.data[*p] == '\\' && *p + 1 < pattern.size);
    if (pattern.data[at] != name.data[*n]) return false;
    *p = at + 1;
    ++*n;
    return true;
}

/* The last star takes one character more whenever what stands behind it doesn't match; an earlier star never has to. */
bool glob_match(struct steme_slice pattern, struct steme_slice name)
{
    size_t p = 0, n = 0, behind_star = SIZE_MAX, taken = 0;
    if (pattern.size == 0) return true;
    while (n < name.size) {
        if (p < pattern.size && pattern.data[p] == '*') {
            behind_star = ++p;
            taken = n;
            continue;
        }
        if (p < pattern.size && step(pattern, &p, name, &n)) continue;
        if (behind_star == SIZE_MAX) return false;
        taken = next_character(name, taken);
        p = behind_star;
        n = taken;
    }
    while (p < pattern.size && pattern.data[p] == '*')
        p++;
    return p == pattern.size;
}
