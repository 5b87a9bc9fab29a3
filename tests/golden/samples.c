/* SPDX-License-Identifier: Apache-2.0 */
#include "golden/samples.h"
#include "base/check.h"
#include "base/slice.h"
#include "lib/testing.h"
#include "model/identity.h"
#include "model/record.h"

#include <stdlib.h>
#include <string.h>

#define NAME(text)                                \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }

enum { NOON_2026 = 1767268800 }; /* 2026-01-01T12:00:00Z in seconds */
static const int64_t second_us = 1000000;

static const struct {
    const char *name, *what, *subject, *predicate;
    struct steme_value object;
} values[] = {
    { "assertion_entity",
      "an assertion: the object is an entity",
      "Marie Curie",
      "born in",
      { .kind = STEME_ENTITY, .text = NAME("Warsaw") } },
    { "assertion_text",
      "an assertion: the object is a text with a language",
      "Warsaw",
      "motto",
      { .kind = STEME_TEXT, .text = NAME("Contemnit procellas\n"), .language = NAME("la") } },
    { "assertion_text_plain",
      "an assertion: the object is a text without a language, and empty",
      "Warsaw",
      "note",
      { .kind = STEME_TEXT } },
    { "assertion_integer",
      "an assertion: the object is an integer",
      "Warsaw",
      "lowest recorded temperature, m°C",
      { .kind = STEME_INTEGER, .integer = -30700 } },
    { "assertion_decimal",
      "an assertion: the object is a decimal",
      "electron",
      "g-factor",
      { .kind = STEME_DECIMAL, .amount = { -200231930436092, 14 } } },
    { "assertion_quantity",
      "an assertion: the object is a quantity with bounds and unit",
      "Hubble constant",
      "value",
      { .kind = STEME_QUANTITY,
        .amount = { 7304, 2 },
        .has_bounds = true,
        .lower = { 72, 0 },
        .upper = { 7408, 2 },
        .unit = NAME("km/s/Mpc") } },
    { "assertion_quantity_plain",
      "an assertion: the object is a quantity, a pure number without bounds",
      "Earth",
      "population",
      { .kind = STEME_QUANTITY, .amount = { 82, -8 } } },
    { "assertion_time",
      "an assertion: the object is a time, to the day",
      "Marie Curie",
      "born on",
      { .kind = STEME_TIME, .time_us = -3223584000 * (int64_t)1000000, .precision = STEME_DAY } },
    { "assertion_boolean",
      "an assertion: the object is a boolean",
      "Pluto",
      "is a planet",
      { .kind = STEME_BOOLEAN, .boolean = true } },
    { "assertion_blob",
      "an assertion: the object is a blob",
      "Pluto",
      "portrait",
      { .kind = STEME_BLOB, .blob = { { 0xB1, 0x0B } }, .blob_bytes = 123456789, .media_type = NAME("image/png") } },
    { "assertion_unknown",
      "an assertion: the object is an unknown value",
      "Homer",
      "born on",
      { .kind = STEME_UNKNOWN } },
    { "assertion_none", "an assertion: the object is no value", "Homer", "telephone number", { .kind = STEME_NONE } },
};

static const struct steme_qualifier qualifiers[] = {
    /* not in order: the encoder sorts */
    { .name = NAME("method"), .value = NAME("astrometry") },
    { .name = NAME("catalogue"), .value = NAME("Gaia DR3"), .key = true },
    { .name = NAME("method"), .value = NAME("Cepheids") },
    { .name = NAME("band"), .value = NAME("中文 Wesenheit"), .key = true },
};

static const struct steme_hash parents[] = { { { 0x99, 0x01 } }, { { 0x11, 0x02 } } };

static struct steme_record make_assertion(size_t row, const struct steme_key *author)
{
    return (struct steme_record){
        .type = STEME_ASSERTION,
        .as.assertion = {
            .author = *author,
            .subject = slice_text(values[row].subject),
            .predicate = slice_text(values[row].predicate),
            .object = values[row].object,
            .confidence_ppm = 950000,
            .asserted_at_us = NOON_2026 * second_us,
            .valid_from_us = STEME_TIME_MIN,
            .valid_to_us = STEME_TIME_MAX,
        },
    };
}

static struct steme_hash id_of(const struct steme_record *record)
{
    struct steme_slice bytes = sample_bytes(record);
    struct steme_hash id = record_id(bytes);
    testing_free(bytes);
    return id;
}

/* Everything an assertion can have. */
static struct steme_record make_full(const struct steme_key *author, const struct steme_hash *epoch)
{
    static struct steme_evidence evidence[3];
    evidence[0] = (struct steme_evidence){ .stance = STEME_REFUTE, .has_target = true, .target = { { 0xEE, 7 } } };
    evidence[1] = (struct steme_evidence){ .stance = STEME_SUPPORT,
                                           .uri = NAME("doi:10.3847/2041-8213/ac5c5b"),
                                           .locator = NAME("table 6") };
    evidence[2] = (struct steme_evidence){
        .stance = STEME_SUPPORT, .has_target = true, .target = *epoch, .locator = NAME("§ 2")
    };
    struct steme_record record = make_assertion(5, author);
    struct steme_assertion *full = &record.as.assertion;
    full->negated = true;
    full->valid_from_us = 0;
    full->valid_to_us = NOON_2026 * second_us;
    full->has_epoch = true;
    full->epoch = *epoch;
    full->source = slice_text("Riess et al. 2022");
    full->qualifiers = qualifiers;
    full->qualifier_count = countof(qualifiers);
    full->evidence = evidence;
    full->evidence_count = countof(evidence);
    full->parents = parents;
    full->parent_count = countof(parents);
    return record;
}

static struct steme_record make_vote(const struct steme_key *voter, struct steme_target target,
                                     enum steme_stance stance, const char *reason)
{
    return (struct steme_record){
        .type = STEME_VOTE,
        .as.vote = {
            .voter = *voter,
            .target = target,
            .stance = stance,
            .probability_ppm = stance == STEME_ABSTAIN ? 0 : 750000,
            .cast_at_us = NOON_2026 * second_us + 1,
            .reason = slice_text(reason),
        },
    };
}

static struct steme_record make_epoch(const struct steme_key *author, const char *name,
                                      const struct steme_hash *supersedes)
{
    return (struct steme_record){
        .type = STEME_EPOCH,
        .as.epoch = {
            .author = *author,
            .name = slice_text(name),
            .description = slice_text(supersedes ? "A planet has cleared its neighbourhood.\nResolution B5." : ""),
            .declared_at_us = NOON_2026 * second_us,
            .from_us = supersedes ? 1156377600 * second_us : STEME_TIME_MIN,
            .to_us = supersedes ? STEME_TIME_MAX : 1156377600 * second_us,
            .supersedes = supersedes,
            .supersedes_count = supersedes ? 1 : 0,
        },
    };
}

static struct steme_record make_revision(const struct steme_key *author, enum steme_revision_kind kind,
                                         const struct steme_target *targets, size_t target_count,
                                         const struct steme_hash *replacements, size_t replacement_count)
{
    return (struct steme_record){
        .type = STEME_REVISION,
        .as.revision = {
            .author = *author,
            .kind = kind,
            .targets = targets,
            .target_count = target_count,
            .replacements = replacements,
            .replacement_count = replacement_count,
            .revised_at_us = NOON_2026 * second_us + 2,
            .reason = slice_text(kind == STEME_RETRACT ? "" : "a better measurement"),
        },
    };
}

static void add(struct sample *out, size_t *count, const char *name, const char *what, struct steme_record record)
{
    invariant(*count < SAMPLES_MAX);
    out[(*count)++] = (struct sample){ name, what, record };
}

static void add_votes(struct sample *out, size_t *count, const struct steme_key *key, const struct steme_hash *epoch)
{
    struct steme_hash assertion = id_of(&out[0].record), agent = agent_id(key->bytes);
    uint64_t subject_route = route_of_name(slice_text(values[0].subject));
    struct steme_target on_assertion = { STEME_ON_ASSERTION, subject_route, assertion };
    struct steme_target on_agent = { STEME_ON_AGENT, route_of_hash(&agent), agent };
    struct steme_target on_epoch = { STEME_ON_EPOCH, route_of_hash(epoch), *epoch };
    add(out, count, "vote_assertion", "a vote for an assertion",
        make_vote(key, on_assertion, STEME_SUPPORT, "the birth register says so"));
    add(out, count, "vote_agent", "an endorsement: a vote for an agent, without a reason",
        make_vote(key, on_agent, STEME_SUPPORT, ""));
    add(out, count, "vote_epoch", "a vote on an epoch, withdrawn", make_vote(key, on_epoch, STEME_ABSTAIN, ""));
}

static void add_revisions(struct sample *out, size_t *count, const struct steme_key *key,
                          const struct steme_hash *epoch)
{
    static struct steme_target targets[3];
    static struct steme_hash replacements[2];
    targets[0] = (struct steme_target){ STEME_ON_VOTE, 42, { { 0xF0, 0x07 } } };
    targets[1] = (struct steme_target){ STEME_ON_EPOCH, route_of_hash(epoch), *epoch };
    targets[2] = (struct steme_target){ STEME_ON_ASSERTION, route_of_name(slice_text(values[0].subject)),
                                        id_of(&out[0].record) };
    replacements[0] = id_of(&out[2].record);
    replacements[1] = id_of(&out[1].record);
    add(out, count, "revision_retract", "a retraction of one assertion",
        make_revision(key, STEME_RETRACT, &targets[2], 1, NULL, 0));
    add(out, count, "revision_correct", "a correction of an assertion, an epoch and a vote by two records",
        make_revision(key, STEME_CORRECT, targets, 3, replacements, 2));
    add(out, count, "revision_update", "an update of one assertion by another",
        make_revision(key, STEME_UPDATE, &targets[2], 1, replacements, 1));
}

static void add_views(struct sample *out, size_t *count, const struct steme_key *key, const struct steme_hash *epoch)
{
    static const struct steme_qualifier parameters[] = {
        { .name = NAME("root"), .value = NAME("5f9a7d5d0a4c34c7b6a9b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f506") },
        { .name = NAME("damping"), .value = NAME("0.5") },
    };
    struct steme_record view = { .type = STEME_VIEW,
                                 .as.view = { .author = *key,
                                              .name = slice_text("planets by authority"),
                                              .created_at_us = NOON_2026 * second_us,
                                              .subjects = slice_text("*\\*, planet ?"),
                                              .predicate = slice_text("mass"),
                                              .lens = slice_text("authority"),
                                              .has_epoch = true,
                                              .epoch = *epoch,
                                              .parameters = parameters,
                                              .parameter_count = countof(parameters) } };
    add(out, count, "view", "a view with everything it can have", view);
    struct steme_view *it = &view.as.view;
    *it = (struct steme_view){ .author = *key, .name = it->name, .created_at_us = it->created_at_us + 1 };
    it->lens = slice_text("consensus");
    add(out, count, "view_plain", "a view of everything", view);
    it->lens = slice_text("");
    it->dropped = true;
    it->created_at_us++;
    add(out, count, "view_dropped", "the end of a view", view);
}

static size_t make_all(struct sample *out)
{
    static struct steme_hash epoch, members[3];
    size_t count = 0;
    struct sign_secret secret;
    sample_author(&secret);
    const struct steme_key *key = &secret.key;
    for (size_t i = 0; i < countof(values); i++)
        add(out, &count, values[i].name, values[i].what, make_assertion(i, key));
    struct steme_record first_epoch = make_epoch(key, "planets before 2006", NULL);
    epoch = id_of(&first_epoch);
    add(out, &count, "epoch", "an epoch from ever until 2006", first_epoch);
    add(out, &count, "epoch_superseding", "an epoch that supersedes another",
        make_epoch(key, "planets, IAU 2006", &epoch));
    add(out, &count, "assertion_full", "an assertion with everything it can have, negated", make_full(key, &epoch));
    add_votes(out, &count, key, &epoch);
    add_revisions(out, &count, key, &epoch);
    for (size_t i = 0; i < countof(members); i++)
        members[i] = id_of(&out[i].record);
    struct steme_record bundle = {
        .type = STEME_BUNDLE,
        .as.bundle = { .author = *key, .members = members, .member_count = countof(members) },
    };
    add(out, &count, "bundle", "a bundle of the first three assertions", bundle);
    add_views(out, &count, key, &epoch);
    return count;
}

size_t samples_make(struct sample out[SAMPLES_MAX])
{
    static struct sample all[SAMPLES_MAX];
    static size_t count;
    if (count == 0) count = make_all(all);
    memcpy(out, all, count * sizeof all[0]);
    return count;
}

struct steme_record sample_named(const char *name)
{
    struct sample all[SAMPLES_MAX];
    size_t count = samples_make(all);
    for (size_t i = 0; i < count; i++)
        if (strcmp(all[i].name, name) == 0) return all[i].record;
    fail_msg("there is no sample %s", name);
    abort();
}

struct steme_slice sample_bytes(const struct steme_record *record)
{
    struct buf buf;
    struct steme_error err;
    buf_init(&buf, STEME_RECORD_MAX);
    assert_status(record_encode(record, &buf, &err), STEME_OK, &err, "a sample");
    uint8_t *bytes = malloc(buf.size);
    assert_non_null(bytes);
    memcpy(bytes, buf.data, buf.size);
    struct steme_slice copy = slice_of(bytes, buf.size);
    buf_deinit(&buf);
    return copy;
}

void sample_author(struct sign_secret *out)
{
    uint8_t seed[32];
    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)i;
    sign_secret_from_seed(seed, out);
}
