/* SPDX-License-Identifier: Apache-2.0 */
#include "cortex/reliability.h"
#include "slot.h"

/* Three voices over eight items with two labels; the third contradicts the two that agree. */
static void a_voice_that_contradicts_the_others_counts_less(void **state)
{
    (void)state;
    static const uint32_t labels[2] = { 0, 1 };
    struct rel_answer answers[8][3];
    struct rel_item items[8];
    for (uint32_t i = 0; i < 8; i++) {
        uint32_t truth = i % 2;
        answers[i][0] = (struct rel_answer){ 0, truth, 1, 0 };
        answers[i][1] = (struct rel_answer){ 1, truth, 1, 0 };
        answers[i][2] = (struct rel_answer){ 2, 1 - truth, 1, 0 };
        items[i] = (struct rel_item){ labels, answers[i], 3, 2 };
    }
    const struct rel_data data = { items, 8, 3, 2 };
    const struct rel_params params = { 0 };
    struct arena arena;
    arena_init(&arena, 1 << 20);
    const struct rel_model *model;
    struct steme_error err;
    assert_status(rel_learn(&data, &params, &arena, &model, &err), STEME_OK, &err, "learn");
    assert_true(model->voices[0].accuracy > 0.8 && model->voices[2].accuracy < 0.4);
    double p[2];
    assert_status(rel_judge(model, &items[0], &arena, p, &err), STEME_OK, &err, "judge");
    assert_true(p[0] > 0.8 && p[1] < 0.2 && p[0] + p[1] <= 1);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_voice_that_contradicts_the_others_counts_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
