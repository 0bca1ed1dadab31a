/* A convolution of bytes, of all steps at once, and what follows it while its sums are in the first-level cache.

       sums        a_t[b, y, x, o] = sum_q sum_(i < 4) w[o, 4q + i] * n_t[b, y, x, 4q + i]   (products.h)
       currents    c = sum_t M_t * a_t + b, and the shortcut, where there is one
       spikes      of the neuron that reads c (neuron.h)

   Every number is whole, and none is rounded. Tensors are dense, channels innermost; steps outermost. */

#include "neuron.h"

#define MOST_QUADS 256  /* about a hundred channels of a 3x3 window */

#ifdef __AVX2__

#include <stdlib.h>

#include "products.h"

/* What becomes of the sums: they are stored as floats, or else they become currents, which are stored, or whose spikes
   are, or both. Multipliers [T, O] and the bias are filled up to a whole block of outputs. */
typedef struct {
    float *sums;
    const double *multipliers, *bias, *shortcut;
    double *currents;
    void *spikes;
    const step_plan *next;
    int64_t leak;
    int32_t steps, next_steps, type, unused;
} carry_plan;

/* The memory of a thread: the padded bands of all steps, `apart` bytes from each other, and their currents. */
typedef struct {
    uint8_t *bands;
    double *currents;
    int64_t row, apart;
} room;

typedef int32_t whole_lanes __attribute__((vector_size(4 * LANES)));

/* A block of outputs: its channels from `o`, and the steps from `first`; `more` adds to what is there. */
typedef struct {
    int o, channels, first, more;
    const int8_t *weights;
    double multipliers[GROUPS][OUTPUTS], bias[OUTPUTS];
} block;

INLINE void store_floats(float *into, const int32_t *sums, int channels) {
    float found[OUTPUTS];
    for (int o = 0; o < OUTPUTS; o++) found[o] = (float)sums[o];
    memcpy(into, found, channels * sizeof *found);
}

/* The currents of a pixel from the sums of its steps. */
INLINE void store_currents(double *into, const group_sums *sums, int pixel, const block *of, int steps, int channels) {
    for (int o = 0; o < channels; o += LANES) {
        const size_t size = sizeof(double) * (channels - o < LANES ? channels - o : LANES);
        lanes total, multiplier;
        whole_lanes sum;
        memcpy(&total, of->bias + o, sizeof total);
        if (of->more) memcpy(&total, into + o, size);
        for (int t = 0; t < steps; t++) {
            memcpy(&multiplier, of->multipliers[t] + o, sizeof multiplier);
            memcpy(&sum, sums[t][pixel] + o, sizeof sum);
            total = fused(multiplier, __builtin_convertvector(sum, lanes), total);
        }
        memcpy(into + o, &total, size);
    }
}

/* Some steps of a row of a block; `steps`, GROUPS at most, is known when this is compiled. */
INLINE void row_of(const window_plan *plan, const room *in, const uint8_t *from, const block *of, int steps, int floats,
                   void *row) {
    const int64_t aside = (int64_t)plan->stride_right * plan->held;
    const int right = plan->right;
    const int64_t outputs = plan->outputs;
    group_sums found[GROUPS];
    for (int x = 0; x < right;) {
        const int wide = least_of(GROUPS / steps, (right - x + PIXELS - 1) / PIXELS);
        const uint8_t *windows[GROUPS];
        for (int g = 0; g < wide * steps; g++)
            windows[g] = from + (of->first + g % steps) * in->apart + (x + g / steps * PIXELS) * aside;
        sums_of(plan, windows, aside, of->weights, wide * steps, found);
        for (int i = 0; i < wide * PIXELS && x < right; i++, x++) {
            const group_sums *sums = found + i / PIXELS * steps;
            const int64_t at = x * outputs + of->o;
            if (floats) store_floats((float *)row + at, sums[0][i % PIXELS], of->channels);
            else if (of->channels == OUTPUTS) store_currents((double *)row + at, sums, i % PIXELS, of, steps, OUTPUTS);
            else store_currents((double *)row + at, sums, i % PIXELS, of, steps, of->channels);
        }
    }
}

static void some_row_of(const window_plan *plan, const room *in, const uint8_t *from, const block *of, int steps, int floats,
                        void *row) {
    switch (floats ? 0 : steps) {
    case 0: row_of(plan, in, from, of, 1, 1, row); break;
    case 1: row_of(plan, in, from, of, 1, 0, row); break;
    case 2: row_of(plan, in, from, of, 2, 0, row); break;
    case 3: row_of(plan, in, from, of, 3, 0, row); break;
    default: row_of(plan, in, from, of, GROUPS, 0, row); break;
    }
}

/* The block of outputs from `o`, and its `steps` steps from `first`. */
static block block_of(const window_plan *plan, const carry_plan *to, int o, int first, int steps) {
    const int64_t outputs = ((int64_t)plan->outputs + OUTPUTS - 1) / OUTPUTS * OUTPUTS;
    block of = {.o = o, .channels = least_of(plan->outputs - o, OUTPUTS), .first = first, .more = first > 0};
    of.weights = plan->weights + (int64_t)o * plan->quads * 4;
    if (to->sums) return of;
    memcpy(of.bias, to->bias + o, sizeof of.bias);
    for (int t = 0; t < steps; t++)
        memcpy(of.multipliers[t], to->multipliers + (first + t) * outputs + o, sizeof of.bias);
    return of;
}

/* A block of a band, some steps after others. */
static void steps_of(const window_plan *plan, const carry_plan *to, const room *in, int o, int rows, void *into) {
    const int64_t row = (int64_t)plan->right * plan->outputs * (to->sums ? sizeof(float) : sizeof(double));
    for (int first = 0; first < to->steps; first += GROUPS) {
        const int steps = least_of(to->steps - first, GROUPS);
        const block of = block_of(plan, to, o, first, steps);
        for (int y = 0; y < rows; y++)
            some_row_of(plan, in, in->bands + y * plan->stride_down * in->row, &of, steps, to->sums != NULL,
                        (char *)into + y * row);
    }
}

/* One row of the map between its zeros. What fills up a quad may be anything: its weights are zero. */
static void padded_row(const window_plan *plan, const uint8_t *levels, uint8_t *into) {
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

/* The rows of a map that `rows` rows of outputs read. */
static void padded_band(const window_plan *plan, const uint8_t *map, const room *in, uint8_t *band, int first, int rows) {
    const int read = (rows - 1) * plan->stride_down + plan->reach;
    for (int i = 0; i < read; i++) {
        const int y = first * plan->stride_down + i - plan->padding_down;
        if (y < 0 || y >= plan->height) memset(band + i * in->row, 0, in->row);
        else padded_row(plan, map + (int64_t)y * plan->width * plan->channels, band + i * in->row);
    }
}

/* What follows the currents of a band, from the element `begin` of `count` in all. */
static void carried(const carry_plan *to, double *x, int64_t begin, int64_t count, int64_t size) {
    for (int64_t at = 0; at < size; at += BLOCK) {
        const int part = size - at < BLOCK ? (int)(size - at) : BLOCK;
        double *these = x + at;
        if (to->shortcut) for (int i = 0; i < part; i++) these[i] += to->shortcut[begin + at + i];
        if (to->currents) memcpy(to->currents + begin + at, these, part * sizeof *these);
        if (to->spikes)
            spikes_of(these, 0, to->spikes, begin + at, count, part, to->next_steps, to->type, to->next, to->leak);
    }
}

/* The rows of outputs of a sample from the row `first`; `apart` are the maps of two steps. */
static void band_of(const window_plan *plan, const carry_plan *to, const room *in, const uint8_t *map, int64_t apart,
                    int64_t sample, int64_t samples, int first) {
    const int rows = least_of(plan->down - first, plan->band);
    const int64_t row = (int64_t)plan->right * plan->outputs, begin = (sample * plan->down + first) * row;
    for (int t = 0; t < to->steps; t++)
        padded_band(plan, map + t * apart, in, in->bands + t * in->apart, first, rows);
    void *into = to->sums ? (void *)(to->sums + begin) : (void *)in->currents;
    for (int o = 0; o < plan->outputs; o += OUTPUTS) steps_of(plan, to, in, o, rows, into);
    if (!to->sums) carried(to, in->currents, begin, samples * plan->down * row, rows * row);
}

/* 0, or 1 where there is no memory for it. What lies behind the last band is read with it, and is of no account. */
static int room_of(const window_plan *plan, const carry_plan *to, room *in) {
    const int64_t behind = (int64_t)GROUPS * PIXELS * plan->stride_right * plan->held;
    in->row = (int64_t)(plan->width + 2 * plan->padding_right) * plan->held;
    in->apart = in->row * ((plan->band - 1) * plan->stride_down + plan->reach);
    in->bands = malloc(in->apart * to->steps + behind);
    in->currents = to->sums ? NULL : malloc(sizeof(double) * plan->band * plan->right * plan->outputs);
    return !in->bands || (!to->sums && !in->currents);
}

/* Levels [T B, ...]. 0, or 1 where there was no memory. */
int bitfront_convolution(const window_plan *plan, const carry_plan *to, const uint8_t *levels, int64_t samples) {
    const int64_t bands = (plan->down + plan->band - 1) / plan->band;
    const int64_t map = (int64_t)plan->height * plan->width * plan->channels;
    int failed = 0;
    #pragma omp parallel num_threads(plan->threads) reduction(| : failed)
    {
        room in;
        failed = room_of(plan, to, &in);
        #pragma omp for
        for (int64_t item = 0; item < samples * bands; item++)
            if (!failed)
                band_of(plan, to, &in, levels + item / bands * map, samples * map, item / bands, samples,
                        (int)(item % bands) * plan->band);
        free(in.bands);
        free(in.currents);
    }
    return failed;
}

#endif

/* Whether this is the fastest way to convolve bytes here. It is not where a processor adds up four products in 32 bits by
   instructions that are not used above; nor, where it does by those that are, with windows of so many quads that weights
   no longer stay in the caches: libraries read them less often, and what follows the sums weighs less. */
int bitfront_convolution_is_best(int32_t quads) {
#if defined(__AMX_INT8__) || (defined(__AVXVNNI__) && !defined(__AVX512VNNI__)) || !defined(__AVX2__)
    return (void)quads, 0;
#elif defined(__AVX512VNNI__)
    return quads <= MOST_QUADS;
#else
    return (void)quads, 1;
#endif
}
