/* The passes of an integer network's layer beside its operation, over blocks that stay in the first-level cache.

       spikes      u_1 = x_1;  n_t = level(u_t);  u_(t+1) = u_t - V_t * n_t + x_(t+1)
       currents    sum_t M_t * a_t + b;  of frames M_t * a_t + b, with a_t = op(n_t, w)

   fixed_point.py has the levels. Every number is whole and below 2^53 (bounds.py), so double arithmetic is exact, and
   the quotient of two of them is rounded down as that of integers. Tensors are dense, channels innermost; steps and
   frames outermost. */

#include <math.h>
#include <stdint.h>

#define BLOCK 1024          /* elements: a few buffers of doubles fit in the first-level cache */
#define SERIAL_BELOW 16384  /* elements: less work than waking threads costs */

enum kind { UNSIGNED, UNSIGNED_BINARY, SIGNED, SIGNED_BINARY };
enum type { BYTES, FLOATS, DOUBLES };

typedef struct {
    double threshold, high;
    int32_t kind, unused;
} step_plan;

#define INLINE static inline __attribute__((always_inline))

INLINE double level_of(double u, double threshold, double high, int kind) {
    double magnitude, level;
    switch (kind) {
    case UNSIGNED_BINARY: return u > 0.5 * threshold ? 1.0 : 0.0;
    case SIGNED_BINARY: return u > 0.0 ? 1.0 : -1.0;
    case SIGNED:
        magnitude = floor((fabs(u) + 0.5 * threshold) / threshold);
        return copysign(magnitude < high ? magnitude : high, u);
    default:
        level = floor((u + 0.5 * threshold) / threshold);
        level = level > 0.0 ? level : 0.0;
        return level < high ? level : high;
    }
}

INLINE void levels_of(const double *u, double *n, int size, const step_plan *step) {
    const double threshold = step->threshold, high = step->high;
    switch (step->kind) {  /* one loop for each kind, so that each is free of branches */
    case UNSIGNED: for (int i = 0; i < size; i++) n[i] = level_of(u[i], threshold, high, UNSIGNED); break;
    case UNSIGNED_BINARY: for (int i = 0; i < size; i++) n[i] = level_of(u[i], threshold, high, UNSIGNED_BINARY); break;
    case SIGNED: for (int i = 0; i < size; i++) n[i] = level_of(u[i], threshold, high, SIGNED); break;
    default: for (int i = 0; i < size; i++) n[i] = level_of(u[i], threshold, high, SIGNED_BINARY); break;
    }
}

INLINE void store(void *storage, int64_t at, int size, int type, const double *n) {
    switch (type) {
    case BYTES: for (int i = 0; i < size; i++) ((uint8_t *)storage)[at + i] = (uint8_t)(int32_t)n[i]; break;
    case FLOATS: for (int i = 0; i < size; i++) ((float *)storage)[at + i] = (float)n[i]; break;
    default: for (int i = 0; i < size; i++) ((double *)storage)[at + i] = n[i]; break;
    }
}

void bitfront_spikes(const double *x, void *spikes, int64_t count, int32_t steps, int32_t framed, int32_t type,
                     const step_plan *plan, int32_t threads) {
    const int64_t blocks = (count + BLOCK - 1) / BLOCK;
    #pragma omp parallel for num_threads(threads) if (count * steps >= SERIAL_BELOW)
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t begin = block * BLOCK;
        const int size = (int)(count - begin < BLOCK ? count - begin : BLOCK);
        double u[BLOCK], n[BLOCK];
        for (int t = 0; t < steps; t++) {
            const double *now = x + begin + (framed ? t * count : 0);
            if (t == 0) for (int i = 0; i < size; i++) u[i] = now[i];
            else for (int i = 0; i < size; i++) u[i] = u[i] - plan[t - 1].threshold * n[i] + now[i];
            levels_of(u, n, size, plan + t);
            store(spikes, t * count + begin, size, type, n);
        }
    }
}

INLINE double read(const void *sums, int64_t at, int doubles) {
    return doubles ? ((const double *)sums)[at] : (double)((const float *)sums)[at];
}

INLINE void row(const void *sums, double *current, const double *multiplier, const double *start, int64_t at,
                int channels, int doubles) {
    for (int c = 0; c < channels; c++) current[c] = start[c] + multiplier[c] * read(sums, at + c, doubles);
}

void bitfront_currents(const void *sums, double *currents, int64_t pixels, int32_t channels, int32_t steps,
                       int32_t framed, int32_t doubles, const double *multipliers, const double *bias,
                       int32_t threads) {
    const int64_t count = pixels * channels;
    #pragma omp parallel for num_threads(threads) if (count * steps >= SERIAL_BELOW)
    for (int64_t pixel = 0; pixel < pixels; pixel++) {
        const int64_t at = pixel * channels;
        for (int t = 0; t < steps; t++) {
            double *current = currents + at + (framed ? t * count : 0);
            const double *start = framed || t == 0 ? bias : current;
            if (doubles) row(sums, current, multipliers + t * channels, start, t * count + at, channels, 1);
            else row(sums, current, multipliers + t * channels, start, t * count + at, channels, 0);
        }
    }
}
