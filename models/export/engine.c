/* The passes of an integer network's layer beside its operation, over blocks that stay in the first-level cache.

       spikes      u_1 = x_1 - Z_1;  n_t = level(u_t);  u_(t+1) = leaked(u_t - V_t * n_t) + x_(t+1) - Z_(t+1)
       currents    sum_t M_t * a_t + b;  of frames M_t * a_t + b, with a_t = op(n_t, w)
       carried     both at once: the spikes of the currents that another layer's sums make

   fixed_point.py has the levels. Every number is whole and below 2^53 (bounds.py), so double arithmetic is exact.
   Tensors are dense, channels innermost; steps and frames outermost. */

#include "neuron.h"

#define MOST_STEPS 4        /* whose multipliers stay in registers meanwhile */
#define SERIAL_BELOW 16384  /* elements: less work than waking threads costs */

void bitfront_spikes(const double *x, void *spikes, int64_t count, int32_t steps, int32_t framed, int32_t type,
                     const step_plan *plan, int64_t leak, int32_t threads) {
    const int64_t blocks = (count + BLOCK - 1) / BLOCK;
    #pragma omp parallel for num_threads(threads) if (count * steps >= SERIAL_BELOW)
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t begin = block * BLOCK;
        const int size = (int)(count - begin < BLOCK ? count - begin : BLOCK);
        spikes_of(x + begin, framed ? count : 0, spikes, begin, count, size, steps, type, plan, leak);
    }
}

/* What makes the currents of a layer: its sums, those of a step `apart` from the next one's. */
typedef struct {
    const void *sums;
    const double *multipliers, *bias;
    int64_t apart;
    int32_t channels, steps, framed, doubles;
} sums_plan;

typedef float float_lanes __attribute__((vector_size(4 * LANES)));

INLINE void read_lanes(lanes *into, const void *sums, int64_t at, int doubles) {
    if (doubles) {
        memcpy(into, (const double *)sums + at, sizeof *into);
        return;
    }
    float_lanes found;
    memcpy(&found, (const float *)sums + at, sizeof found);
    *into = __builtin_convertvector(found, lanes);
}

/* Some steps of some pixels, from the pixel whose first element is `at`; `more` adds to what `into` has. */
typedef struct {
    int64_t at, pixels;
    int first, more;
} part;

/* LANES channels; `steps`, MOST_STEPS at most, is known when this is compiled. */
INLINE void lanes_of(const sums_plan *from, double *into, const part *of, int c, int steps, int doubles) {
    const int64_t channels = from->channels, apart = from->apart, at = of->first * apart + of->at + c;
    const void *sums = from->sums;
    const int more = of->more;
    lanes bias, multiplier[MOST_STEPS];
    memcpy(&bias, from->bias + c, sizeof bias);
    for (int t = 0; t < steps; t++) memcpy(multiplier + t, from->multipliers + (of->first + t) * channels + c, sizeof bias);
    for (int64_t pixel = 0; pixel < of->pixels; pixel++) {
        double *place = into + pixel * channels + c;
        lanes total = bias, sum;
        if (more) memcpy(&total, place, sizeof total);
        for (int t = 0; t < steps; t++) {
            read_lanes(&sum, sums, t * apart + at + pixel * channels, doubles);
            total = fused(multiplier[t], sum, total);
        }
        memcpy(place, &total, sizeof total);
    }
}

/* One channel, of those that are left. */
INLINE void one_of(const sums_plan *from, double *into, const part *of, int c, int steps, int doubles) {
    const double *multiplier = from->multipliers + of->first * from->channels + c;
    for (int64_t place = c; place < of->pixels * from->channels; place += from->channels) {
        double total = of->more ? into[place] : from->bias[c];
        for (int t = 0; t < steps; t++) {
            const int64_t begin = (of->first + t) * from->apart + of->at + place;
            const double sum = doubles ? ((const double *)from->sums)[begin] : ((const float *)from->sums)[begin];
            total += multiplier[t * from->channels] * sum;
        }
        into[place] = total;
    }
}

INLINE void channels_of(const sums_plan *from, double *into, const part *of, int steps, int doubles) {
    int c = 0;
    for (; c + LANES <= from->channels; c += LANES) lanes_of(from, into, of, c, steps, doubles);
    for (; c < from->channels; c++) one_of(from, into, of, c, steps, doubles);
}

static void part_of(const sums_plan *from, double *into, const part *of, int steps) {
    switch (2 * steps + (from->doubles != 0)) {
    case 2: channels_of(from, into, of, 1, 0); break;
    case 3: channels_of(from, into, of, 1, 1); break;
    case 4: channels_of(from, into, of, 2, 0); break;
    case 5: channels_of(from, into, of, 2, 1); break;
    case 6: channels_of(from, into, of, 3, 0); break;
    case 7: channels_of(from, into, of, 3, 1); break;
    case 8: channels_of(from, into, of, MOST_STEPS, 0); break;
    default: channels_of(from, into, of, MOST_STEPS, 1); break;
    }
}

/* Of all steps: each into a frame of its own, or all added up. */
static void pixels_of(const sums_plan *from, double *into, int64_t first, int64_t pixels) {
    const int each = from->framed ? 1 : MOST_STEPS;
    for (int t = 0; t < from->steps; t += each) {
        const part of = {first * from->channels, pixels, t, t > 0 && !from->framed};
        const int left = from->steps - t;
        part_of(from, into + (from->framed ? t * from->apart : 0), &of, left < each ? left : each);
    }
}

void bitfront_currents(const sums_plan *from, double *currents, int64_t pixels, int32_t threads) {
    const int64_t held = BLOCK / from->channels + 1, blocks = (pixels + held - 1) / held;
    #pragma omp parallel for num_threads(threads) if (pixels * from->channels * from->steps >= SERIAL_BELOW)
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t first = block * held, left = pixels - first;
        pixels_of(from, currents + first * from->channels, first, left < held ? left : held);
    }
}

/* `shortcut` is added to the currents, and `currents` keeps them, where they are given; no frames, and BLOCK channels
   at most. */
void bitfront_carried(const sums_plan *from, const double *shortcut, double *currents, void *spikes, int64_t pixels,
                      int32_t steps, int32_t type, const step_plan *plan, int64_t leak, int32_t threads) {
    const int64_t held = BLOCK / from->channels, blocks = (pixels + held - 1) / held, count = pixels * from->channels;
    #pragma omp parallel for num_threads(threads) if (count * (steps + from->steps) >= SERIAL_BELOW)
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t first = block * held, begin = first * from->channels, left = pixels - first;
        const int size = (int)((left < held ? left : held) * from->channels);
        double x[BLOCK];
        pixels_of(from, x, first, size / from->channels);
        if (shortcut) for (int i = 0; i < size; i++) x[i] += shortcut[begin + i];
        if (currents) for (int i = 0; i < size; i++) currents[begin + i] = x[i];
        spikes_of(x, 0, spikes, begin, count, size, steps, type, plan, leak);
    }
}
