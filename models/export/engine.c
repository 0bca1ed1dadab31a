/* The passes of an integer network's layer beside its operation, over blocks that stay in the first-level cache.

       spikes      u_1 = x_1 - Z_1;  n_t = level(u_t);  u_(t+1) = leaked(u_t - V_t * n_t) + x_(t+1) - Z_(t+1)
       currents    sum_t M_t * a_t + b;  of frames M_t * a_t + b, with a_t = op(n_t, w)
       carried     both at once: the spikes of the currents that another layer's sums make

   fixed_point.py has the levels. Every number is whole and below 2^53 (bounds.py), so double arithmetic is exact.
   Tensors are dense, channels innermost; steps and frames outermost. */

#include <math.h>
#include <stdint.h>
#include <string.h>

#define BLOCK 1024          /* elements: a few buffers of doubles fit in the first-level cache */
#define SMALL 0x1p49          /* V times levels below which a product finds the quotient */
#define LANES 8             /* channels whose currents are added up at once */
#define MOST_STEPS 4        /* whose multipliers stay in registers meanwhile */
#define LEAK_BITS 30        /* as in nodes.py */
#define LEAK_SPLIT 20
#define SERIAL_BELOW 16384  /* elements: less work than waking threads costs */

enum kind { UNSIGNED, UNSIGNED_BINARY, SIGNED, SIGNED_BINARY };
enum type { BYTES, FLOATS, DOUBLES };

typedef struct {
    double threshold, high, shift;
    int32_t kind, unused;
} step_plan;

#define INLINE static inline __attribute__((always_inline))

/* floor((2a + V) / (2V)) where it is below `high`, else `high` or more; a >= 0. Where V * high is small, a product with
   1 / V will do, which takes a part of the time of a division: it is off by 2^-52 of itself at most, and
   (a + V/2 + 1/4) / V lies at least 1 / (4V) from every whole number. Both sums are exact. */
INLINE double quotient(double a, double threshold, double inverse, int small) {
    return small ? (a + (0.5 * threshold + 0.25)) * inverse : (a + 0.5 * threshold) / threshold;
}

INLINE double least(double a, double b) { return a < b ? a : b; }

INLINE double level_of(double u, double threshold, double inverse, double high, int kind, int small) {
    double above;
    switch (kind) {
    case UNSIGNED_BINARY: return u > 0.5 * threshold ? 1.0 : 0.0;
    case SIGNED_BINARY: return u > 0.0 ? 1.0 : -1.0;
    case SIGNED: return copysign(floor(least(quotient(fabs(u), threshold, inverse, small), high)), u);
    default:
        above = least(quotient(u, threshold, inverse, small), high);
        return floor(above > 0.0 ? above : 0.0);
    }
}

/* A step of a block: u becomes u + x - V * n, unless nothing follows that reads it. */
INLINE void step_of(const double *x, double *u, void *spikes, int64_t at, int size, const step_plan *step, int first,
                    int last, int type, int kind, int small) {
    const double threshold = step->threshold, inverse = 1.0 / threshold, high = step->high;
    for (int i = 0; i < size; i++) {
        const double potential = first ? x[i] : u[i] + x[i];
        const double level = level_of(potential, threshold, inverse, high, kind, small);
        if (!last) u[i] = potential - threshold * level;
        if (type == BYTES) ((uint8_t *)spikes)[at + i] = (uint8_t)(int32_t)level;
        else if (type == FLOATS) ((float *)spikes)[at + i] = (float)level;
        else ((double *)spikes)[at + i] = level;
    }
}

/* One loop for each kind and type, so that each is free of branches. */
#define TYPED(kind, small)                                                               \
    switch (type) {                                                                      \
    case BYTES: step_of(x, u, spikes, at, size, step, first, last, BYTES, kind, small); break;   \
    case FLOATS: step_of(x, u, spikes, at, size, step, first, last, FLOATS, kind, small); break; \
    default: step_of(x, u, spikes, at, size, step, first, last, DOUBLES, kind, small); break;    \
    }

static void any_step(const double *restrict x, double *restrict u, void *restrict spikes, int64_t at, int size,
                     const step_plan *step, int first, int last, int type) {
    const int small = step->threshold * (step->high + 1.0) < SMALL;
    switch (step->kind) {
    case UNSIGNED: if (small) TYPED(UNSIGNED, 1) else TYPED(UNSIGNED, 0) break;
    case UNSIGNED_BINARY: TYPED(UNSIGNED_BINARY, 1) break;
    case SIGNED: if (small) TYPED(SIGNED, 1) else TYPED(SIGNED, 0) break;
    default: TYPED(SIGNED_BINARY, 1) break;
    }
}

/* fixed_point.py has the formula; right shifts round down, as compilers have them. */
INLINE double leaked(double rest, int64_t leak) {
    const int64_t whole = (int64_t)rest, low = whole & ((INT64_C(1) << LEAK_SPLIT) - 1);
    const int64_t carried = (low * leak + (INT64_C(1) << (LEAK_BITS - 1))) >> LEAK_SPLIT;
    return (double)(((whole >> LEAK_SPLIT) * leak + carried) >> (LEAK_BITS - LEAK_SPLIT));
}

/* What is left of a block's potentials before the current of a step comes in. */
static void left_of(double *restrict u, int size, double shift, int64_t leak, int first) {
    for (int i = 0; i < size; i++) {
        const double rest = first ? 0.0 : leak < INT64_C(1) << LEAK_BITS ? leaked(u[i], leak) : u[i];
        u[i] = rest - shift;
    }
}

/* The spikes of a block at every step; `framed` currents lie `framed` elements apart, others are the same. */
INLINE void spikes_of(const double *x, int64_t framed, void *spikes, int64_t begin, int64_t count, int size, int32_t steps,
                      int32_t type, const step_plan *plan, int64_t leak) {
    double u[BLOCK];
    for (int t = 0; t < steps; t++) {
        const int plain = plan[t].shift == 0.0 && leak == INT64_C(1) << LEAK_BITS;
        if (!plain) left_of(u, size, plan[t].shift, leak, t == 0);
        any_step(x + t * framed, u, spikes, t * count + begin, size, plan + t, plain && t == 0, t == steps - 1, type);
    }
}

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

/* Eight channels, which compilers keep in one register or in a few. */
typedef double eight __attribute__((vector_size(64)));
typedef float eight_floats __attribute__((vector_size(32)));

INLINE void read_eight(eight *into, const void *sums, int64_t at, int doubles) {
    if (doubles) {
        memcpy(into, (const double *)sums + at, sizeof *into);
        return;
    }
    eight_floats found;
    memcpy(&found, (const float *)sums + at, sizeof found);
    *into = __builtin_convertvector(found, eight);
}

/* Some steps of some pixels, from the pixel whose first element is `at`; `more` adds to what `into` has. */
typedef struct {
    int64_t at, pixels;
    int first, more;
} part;

/* Eight channels; `steps`, MOST_STEPS at most, is known when this is compiled. */
INLINE void eight_of(const sums_plan *from, double *into, const part *of, int c, int steps, int doubles) {
    const int64_t channels = from->channels, apart = from->apart, at = of->first * apart + of->at + c;
    const void *sums = from->sums;
    const int more = of->more;
    eight bias, multiplier[MOST_STEPS];
    memcpy(&bias, from->bias + c, sizeof bias);
    for (int t = 0; t < steps; t++) memcpy(multiplier + t, from->multipliers + (of->first + t) * channels + c, sizeof bias);
    for (int64_t pixel = 0; pixel < of->pixels; pixel++) {
        double *place = into + pixel * channels + c;
        eight total = bias, sum;
        if (more) memcpy(&total, place, sizeof total);
        for (int t = 0; t < steps; t++) {
            read_eight(&sum, sums, t * apart + at + pixel * channels, doubles);
            total += multiplier[t] * sum;
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
    for (; c + LANES <= from->channels; c += LANES) eight_of(from, into, of, c, steps, doubles);
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
