// The weights that are on their way from memory while others are multiplied by.
#ifndef MLM_FETCHER_H
#define MLM_FETCHER_H

#include "few_rows.h"

/// Bytes that lie between. Longer ones leave the second-level cache on a processor with neighbours; with a quarter of it, memory is waited
/// for.
enum { FETCHED_AHEAD = 24576 };

typedef struct {
  const char *line;
  /// The end of what is multiplied by in one go, and what is then. Where nothing is, what was there is asked for again, which costs
  /// nothing.
  const char *end, *following;
  /// 64; or 0, where all is on its way: another loop without would need registers.
  size_t step;
} fetcher;

/// For weights from `w` on.
static inline fetcher fetcher_from(const float *w, const float *begin, const float *end, const float *following) {
  return (fetcher){(const char *)w + FETCHED_AHEAD, (const char *)end, (const char *)(following ? following : begin), 64};
}

/// Before every few thousand bytes: goes on with what follows after the end.
INLINE void turn_to_following(fetcher *ahead) {
  if (ahead->line < ahead->end) return;
  ahead->line = ahead->following + (ahead->line - ahead->end);
  ahead->end = (const char *)UINTPTR_MAX;
}

/// Into the second-level cache.
INLINE void fetch(fetcher *ahead, const int lines) {
#pragma clang loop unroll(full)
  for (int i = 0; i < lines; i++, ahead->line += ahead->step) __builtin_prefetch(ahead->line, 0, 2);
}

#endif
