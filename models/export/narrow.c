/* A convolution of bytes with 16-bit sums, for processors that multiply bytes and have no 32-bit sum of four products.

       a[b, o, y, x] = sum_q sum_(i < 4) w[o, 4q + i] * n[b, y, x, 4q + i]

   A quad q is four neighbouring channels of one place of the window. One instruction makes the two sums of two products
   of eight quads in 16 bits; `run` of these are added up before they are widened, so many as no level can carry
   beyond 16 bits (narrow.py). Every number is whole, and none is rounded. Tensors are dense, channels innermost. */

#include <stdint.h>

#ifdef __AVX2__

#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#define PIXELS 4    /* outputs of so many neighbours share a read of the weights */
#define OUTPUTS 16  /* channels at once; weights lie in blocks of these, [O / 16, quads, 16, 4] */
#define BLOCK (4 * OUTPUTS)  /* bytes of a quad's weights */

typedef struct {
    const int64_t *offsets;  /* of each quad from the first byte of a window, in a padded band */
    const int8_t *weights;
    int32_t quads, run, outputs, channels, held, threads;  /* `held`: channels with those that fill up a quad */
    int32_t height, width, down, right, reach, band;       /* `reach`: rows of a window; `band`: rows of outputs */
    int32_t stride_down, stride_right, padding_down, padding_right;
} narrow_plan;

#define INLINE static inline __attribute__((always_inline))

INLINE __m256i read(const int8_t *weights) { return _mm256_loadu_si256((const __m256i *)weights); }

INLINE __m256i quad_of(const uint8_t *levels) {
    int32_t four;
    memcpy(&four, levels, sizeof four);
    return _mm256_set1_epi32(four);
}

/* The sums of a run of quads, of PIXELS windows and OUTPUTS channels, added to `wide`. */
INLINE void run_of(const int64_t *offsets, const uint8_t *const *windows, const int8_t *weights, int first, int end,
                   __m256i wide[PIXELS][2]) {
    __m256i narrow[PIXELS][2];
    for (int i = 0; i < PIXELS; i++) narrow[i][0] = narrow[i][1] = _mm256_setzero_si256();
    for (int q = first; q < end; q++) {
        const __m256i low = read(weights + (int64_t)q * BLOCK), high = read(weights + (int64_t)q * BLOCK + BLOCK / 2);
        for (int i = 0; i < PIXELS; i++) {
            const __m256i levels = quad_of(windows[i] + offsets[q]);
            narrow[i][0] = _mm256_add_epi16(narrow[i][0], _mm256_maddubs_epi16(levels, low));
            narrow[i][1] = _mm256_add_epi16(narrow[i][1], _mm256_maddubs_epi16(levels, high));
        }
    }
    const __m256i ones = _mm256_set1_epi16(1);
    for (int i = 0; i < PIXELS; i++)
        for (int j = 0; j < 2; j++) wide[i][j] = _mm256_add_epi32(wide[i][j], _mm256_madd_epi16(narrow[i][j], ones));
}

/* `count` pixels of a row, PIXELS at most, and `channels` of a block. */
INLINE void pixels_of(const narrow_plan *plan, const uint8_t *const *windows, const int8_t *weights, float *sums, int count,
                      int channels) {
    __m256i wide[PIXELS][2];
    for (int i = 0; i < PIXELS; i++) wide[i][0] = wide[i][1] = _mm256_setzero_si256();
    for (int q = 0; q < plan->quads; q += plan->run)
        run_of(plan->offsets, windows, weights, q, q + plan->run < plan->quads ? q + plan->run : plan->quads, wide);
    for (int i = 0; i < count; i++) {
        float found[OUTPUTS];
        _mm256_storeu_ps(found, _mm256_cvtepi32_ps(wide[i][0]));
        _mm256_storeu_ps(found + OUTPUTS / 2, _mm256_cvtepi32_ps(wide[i][1]));
        memcpy(sums + (int64_t)i * plan->outputs, found, channels * sizeof *found);
    }
}

/* One row of the map between its zeros. What fills up a quad may be anything: its weights are zero. */
static void padded_row(const narrow_plan *plan, const uint8_t *levels, uint8_t *into) {
    const size_t channels = plan->channels, held = plan->held, edge = plan->padding_right * held;
    memset(into, 0, edge);
    memset(into + edge + plan->width * held, 0, edge);
    into += edge;
    if (channels == held) {
        memcpy(into, levels, plan->width * channels);
        return;
    }
    for (int x = 0; x < plan->width; x++) memcpy(into + x * held, levels + x * channels, channels);
}

/* The rows of the map that `rows` rows of outputs read. */
static void padded_band(const narrow_plan *plan, const uint8_t *map, uint8_t *room, int first, int rows) {
    const size_t row = (size_t)(plan->width + 2 * plan->padding_right) * plan->held;
    const int read = (rows - 1) * plan->stride_down + plan->reach;
    for (int i = 0; i < read; i++) {
        const int y = first * plan->stride_down + i - plan->padding_down;
        if (y < 0 || y >= plan->height) memset(room + i * row, 0, row);
        else padded_row(plan, map + (int64_t)y * plan->width * plan->channels, room + i * row);
    }
}

/* A row of outputs of a block of channels, from the first byte of its first window. */
static void row_of(const narrow_plan *plan, const uint8_t *from, const int8_t *weights, float *sums, int channels) {
    const int64_t apart = (int64_t)plan->stride_right * plan->held;
    for (int x = 0; x < plan->right; x += PIXELS) {
        const int left = plan->right - x, count = left < PIXELS ? left : PIXELS;
        const uint8_t *windows[PIXELS];
        for (int i = 0; i < PIXELS; i++) windows[i] = from + (x + (i < count ? i : 0)) * apart;
        if (channels == OUTPUTS) pixels_of(plan, windows, weights, sums + (int64_t)x * plan->outputs, count, OUTPUTS);
        else pixels_of(plan, windows, weights, sums + (int64_t)x * plan->outputs, count, channels);
    }
}

static void band_of(const narrow_plan *plan, const uint8_t *map, uint8_t *room, float *sums, int first) {
    const int left = plan->down - first, rows = left < plan->band ? left : plan->band;
    const int64_t row = (int64_t)(plan->width + 2 * plan->padding_right) * plan->held;
    padded_band(plan, map, room, first, rows);
    for (int o = 0; o < plan->outputs; o += OUTPUTS) {
        const int8_t *weights = plan->weights + (int64_t)o * plan->quads * 4;
        const int channels = plan->outputs - o < OUTPUTS ? plan->outputs - o : OUTPUTS;
        for (int y = 0; y < rows; y++)
            row_of(plan, room + y * plan->stride_down * row, weights,
                   sums + (int64_t)(first + y) * plan->right * plan->outputs + o, channels);
    }
}

/* 0, or 1 where memory for a band cannot be had. */
int bitfront_narrow(const narrow_plan *plan, const uint8_t *levels, float *sums, int64_t maps) {
    const int64_t bands = (plan->down + plan->band - 1) / plan->band;
    const int64_t map = (int64_t)plan->height * plan->width * plan->channels;
    const int64_t found = (int64_t)plan->down * plan->right * plan->outputs;
    const size_t row = (size_t)(plan->width + 2 * plan->padding_right) * plan->held;
    int failed = 0;
    #pragma omp parallel num_threads(plan->threads) reduction(| : failed)
    {
        uint8_t *room = malloc(row * ((plan->band - 1) * plan->stride_down + plan->reach));
        failed = !room;
        #pragma omp for
        for (int64_t item = 0; item < maps * bands; item++)
            if (room)
                band_of(plan, levels + item / bands * map, room, sums + item / bands * found, item % bands * plan->band);
        free(room);
    }
    return failed;
}

#endif

/* Whether this is the way to multiply bytes here: where four products are summed at once in 32 bits, others are faster. */
int bitfront_narrow_is_best(void) {
#if defined(__AVX2__) && !defined(__AVX512VNNI__) && !defined(__AVXVNNI__)
    return 1;
#else
    return 0;
#endif
}
