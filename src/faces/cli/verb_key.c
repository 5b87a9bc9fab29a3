/* SPDX-License-Identifier: Apache-2.0 */
/* key new, list, show. */
#include "base/check.h"
#include "base/slice.h"
#include "base/text.h"
#include "faces/cli/verbs.h"
#include "faces/cli/wire.h"

#include <stdio.h>
#include <string.h>

static steme_status print_key_json(struct cli *cli, const char *name, const struct steme_key *key,
                                   struct steme_error *err)
{
    struct steme_hash agent = steme_agent_id(key);
    struct buf line;
    buf_init(&line, 1 << 16);
    struct emit json = { .to = &line };
    emit_begin(&json, NULL, '{');
    emit_word(&json, "name", name);
    wire_key(&json, "key", key);
    emit_hash(&json, "agent", &agent);
    emit_end(&json, '}');
    steme_status status = cli_print_line(cli, &line, err);
    buf_deinit(&line);
    return status;
}

static steme_status print_key(struct cli *cli, const char *name, const struct steme_key *key, struct steme_error *err)
{
    if (cli->json) return print_key_json(cli, name, key, err);
    char hex[STEME_PRINT_BYTES];
    text_hex(key->bytes, sizeof key->bytes, hex);
    print_coloured(&cli->print, PRINT_BOLD, "%s", name);
    fprintf(cli->print.out, "\n  public key  %s\n", hex);
    struct steme_hash agent = steme_agent_id(key);
    steme_print_hash(&agent, hex);
    fprintf(cli->print.out, "  agent id    %s\n", hex);
    return cli_check_output(cli, err);
}

steme_status verb_key_new(struct cli *cli, struct steme_error *err)
{
    const char *name = cli_argument(cli, 0);
    steme_status status = cli_open(cli, true, err);
    if (!status) status = steme_signer_new(cli->store, name, &cli->signer, err);
    if (status) return status;
    struct steme_key key = steme_signer_key(cli->signer);
    return print_key(cli, name, &key, err);
}

steme_status verb_key_list(struct cli *cli, struct steme_error *err)
{
    static const struct print_column columns[] = {
        { .title = "name", .colour = PRINT_BOLD },
        { .title = "public key", .columns_max = 64 },
    };
    struct table table;
    steme_status status = cli_open(cli, false, err);
    if (status) return status;
    steme_status loaded = cli_load_keys(cli, err);
    table_begin(&table, &cli->print, columns, countof(columns));
    for (size_t i = 0; i < cli->key_count && !status; i++) {
        const struct steme_key *key = &cli->keys[i].key;
        struct steme_signer *signer = NULL;
        status = steme_signer_load(cli->store, cli->keys[i].name, &signer,
                                   err); /* which tells of one others can read */
        steme_signer_free(&signer);
        if (status) break;
        char hex[2 * sizeof key->bytes + 1];
        text_hex(key->bytes, sizeof key->bytes, hex);
        if (cli->json) {
            status = print_key_json(cli, cli->keys[i].name, key, err);
        } else {
            table_cell(&table, slice_text(cli->keys[i].name));
            table_cell(&table, slice_text(hex));
        }
    }
    table_end(&table);
    if (loaded) return loaded; /* those that are sound were listed */
    return status ? status : cli_check_output(cli, err);
}

steme_status verb_key_show(struct cli *cli, struct steme_error *err)
{
    struct steme_key key;
    steme_status status = cli_open(cli, false, err);
    if (!status) status = cli_find_key(cli, cli_argument(cli, 0), &key, err);
    return status ? status : print_key(cli, cli_key_name(cli, &key), &key, err);
}
