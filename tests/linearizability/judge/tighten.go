package main

import (
	"math"
	"sort"
)

// tighten narrows the times of operations on one key to where they can have happened, given that those with revisions happened in
// the order of these, and the change of a revision before all that found it. Nothing else is decided by it, but the search for
// one key with many clients ends. It returns the operations as they are when some cannot have happened in that order: the search
// finds that, too.
func tighten(operations []*Operation) []*Operation {
	tight := make([]*Operation, len(operations))
	var ordered []*Operation
	for i, one := range operations {
		copied := *one
		tight[i] = &copied
		if one.Rev > 0 && !one.looksOnly() && (one.Outcome == done || one.Outcome == refused) {
			ordered = append(ordered, &copied)
		}
	}
	sort.SliceStable(ordered, func(i, j int) bool { return before(ordered[i], ordered[j]) })
	// Whatever comes later cannot happen before what comes earlier has started, ...
	for from, latest := 0, int64(0); from < len(ordered); {
		to, next := from, latest
		for ; to < len(ordered) && !before(ordered[from], ordered[to]); to++ {
			next = max(next, ordered[to].Start)
			ordered[to].Start = max(ordered[to].Start, latest)
		}
		from, latest = to, next
	}
	// ... and what comes earlier not after what comes later has ended.
	for to, earliest := len(ordered), int64(math.MaxInt64); to > 0; {
		from, next := to, earliest
		for ; from > 0 && !before(ordered[from-1], ordered[to-1]); from-- {
			next = min(next, ordered[from-1].End)
			ordered[from-1].End = min(ordered[from-1].End, earliest)
		}
		to, earliest = from, next
	}
	for _, one := range ordered {
		if one.End < one.Start {
			return operations
		}
	}
	// The search takes what starts first: of what starts together, what comes first.
	finer := int64(len(ordered) + 1)
	for _, one := range tight {
		one.Start *= finer
		if one.Outcome != unknown {
			one.End = one.End*finer + finer - 1
		}
	}
	for rank, one := range ordered {
		one.Start += int64(rank)
	}
	return tight
}

func before(one, other *Operation) bool {
	if one.Rev != other.Rev {
		return one.Rev < other.Rev
	}
	return one.Changes() && !other.Changes()
}
