/* The sums of products of windows and weights, in bytes, by what this processor does fastest.

       a[window, o] = sum_q sum_(i < 4) w[o, 4q + i] * n[window, 4q + i]

   A quad q is four neighbouring channels of one place of the window. Where one instruction adds up the four products of
   sixteen quads in 32 bits, that is all. Elsewhere one makes the two sums of two products of eight quads in 16 bits;
   `run` of these are added up before they are widened, so many as no level can carry beyond 16 bits (convolution.py). */

#pragma once

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "neuron.h"  /* INLINE */

#define PIXELS 4    /* windows of neighbours, whose sums are made together */
#define GROUPS 4    /* of them whose sums are in registers: of several steps, or of more neighbours */
#define OUTPUTS 16  /* channels at once; weights lie in blocks of these, [O / 16, quads, 16, 4] */
#define QUAD_BYTES (4 * OUTPUTS)  /* of a quad's weights */

typedef struct {
    const int64_t *offsets;  /* of each quad from the first byte of a window, in a padded band */
    const int8_t *weights;
    int32_t quads, run, outputs, channels, held, threads;  /* `held`: channels with those that fill up a quad */
    int32_t height, width, down, right, reach, band;       /* `reach`: rows of a window; `band`: rows of outputs */
    int32_t stride_down, stride_right, padding_down, padding_right;
} window_plan;

typedef int32_t group_sums[PIXELS][OUTPUTS];

INLINE int least_of(int a, int b) { return a < b ? a : b; }

INLINE int32_t quad_at(const uint8_t *levels) {
    int32_t four;
    memcpy(&four, levels, sizeof four);
    return four;
}

#ifdef __AVX512VNNI__

/* sums + the four products of each lane; compilers copy the sums back and forth around the intrinsic. */
INLINE __m512i dot(__m512i sums, __m512i levels, __m512i weights) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(levels), "v"(weights));
    return sums;
}

/* The sums of some groups of windows, each `aside` bytes from its neighbour, and of a block of outputs. */
INLINE void groups_of(const window_plan *plan, const uint8_t *const *windows, int64_t aside, const int8_t *weights,
                      int groups, group_sums *found) {
    __m512i sums[GROUPS][PIXELS];
    for (int g = 0; g < groups; g++)
        for (int i = 0; i < PIXELS; i++) sums[g][i] = _mm512_setzero_si512();
    const int64_t *offset = plan->offsets, *end = offset + plan->quads;
    do {  /* there is at least one quad, and compilers that know it keep the sums in registers to the end */
        const __m512i w = _mm512_loadu_si512(weights);
        for (int g = 0; g < groups; g++) {
            const uint8_t *from = windows[g] + *offset;
            for (int i = 0; i < PIXELS; i++)
                sums[g][i] = dot(sums[g][i], _mm512_set1_epi32(quad_at(from + i * aside)), w);
        }
        weights += QUAD_BYTES;
    } while (++offset < end);
    for (int g = 0; g < groups; g++)
        for (int i = 0; i < PIXELS; i++) _mm512_storeu_si512(found[g][i], sums[g][i]);
}

#else

INLINE __m256i read_half(const int8_t *weights) { return _mm256_loadu_si256((const __m256i *)weights); }

/* The sums of a run of quads, of a group of windows, added to `wide`. */
INLINE void run_of(const int64_t *offsets, const uint8_t *const *windows, const int8_t *weights, int first, int end,
                   __m256i wide[PIXELS][2]) {
    __m256i narrow[PIXELS][2];
    for (int i = 0; i < PIXELS; i++) narrow[i][0] = narrow[i][1] = _mm256_setzero_si256();
    weights += (int64_t)first * QUAD_BYTES;
    for (int q = first; q < end; q++, weights += QUAD_BYTES) {
        const __m256i low = read_half(weights), high = read_half(weights + QUAD_BYTES / 2);
        for (int i = 0; i < PIXELS; i++) {
            const __m256i levels = _mm256_set1_epi32(quad_at(windows[i] + offsets[q]));
            narrow[i][0] = _mm256_add_epi16(narrow[i][0], _mm256_maddubs_epi16(levels, low));
            narrow[i][1] = _mm256_add_epi16(narrow[i][1], _mm256_maddubs_epi16(levels, high));
        }
    }
    const __m256i ones = _mm256_set1_epi16(1);
    for (int i = 0; i < PIXELS; i++)
        for (int j = 0; j < 2; j++) wide[i][j] = _mm256_add_epi32(wide[i][j], _mm256_madd_epi16(narrow[i][j], ones));
}

/* The sums of a group of windows, each `aside` bytes from its neighbour, and of a block of outputs. */
INLINE void group_of(const window_plan *plan, const uint8_t *windows, int64_t aside, const int8_t *weights, int32_t *found) {
    const int quads = plan->quads, run = plan->run;
    const uint8_t *each[PIXELS];
    for (int i = 0; i < PIXELS; i++) each[i] = windows + i * aside;
    __m256i wide[PIXELS][2];
    for (int i = 0; i < PIXELS; i++) wide[i][0] = wide[i][1] = _mm256_setzero_si256();
    for (int q = 0; q < quads; q += run) run_of(plan->offsets, each, weights, q, least_of(q + run, quads), wide);
    for (int i = 0; i < PIXELS; i++)
        for (int j = 0; j < 2; j++) _mm256_storeu_si256((__m256i *)(found + i * OUTPUTS + j * OUTPUTS / 2), wide[i][j]);
}

INLINE void groups_of(const window_plan *plan, const uint8_t *const *windows, int64_t aside, const int8_t *weights,
                      int groups, group_sums *found) {
    for (int g = 0; g < groups; g++) group_of(plan, windows[g], aside, weights, found[g][0]);
}

#endif

/* One loop for each number of groups, so that their sums stay in registers. */
static void sums_of(const window_plan *plan, const uint8_t *const *windows, int64_t aside, const int8_t *weights, int groups,
                    group_sums *found) {
    switch (groups) {
    case 1: groups_of(plan, windows, aside, weights, 1, found); break;
    case 2: groups_of(plan, windows, aside, weights, 2, found); break;
    case 3: groups_of(plan, windows, aside, weights, 3, found); break;
    default: groups_of(plan, windows, aside, weights, GROUPS, found); break;
    }
}
