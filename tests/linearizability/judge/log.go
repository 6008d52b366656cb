package main

import (
	"fmt"
	"hash/fnv"
	"math"

	"github.com/anishathalye/porcupine"
)

// A tail is the last message of a log, and all before it; nil is that of an empty one.
type tail struct {
	before *tail
	value  string
	length int64
	hash   uint64
}

var logModel = porcupine.Model{
	Init: func() any { return (*tail)(nil) },
	Step: func(state, input, _ any) (bool, any) {
		return stepLog(state.(*tail), input.(*Operation))
	},
	Equal: func(one, other any) bool {
		return one.(*tail).end() == other.(*tail).end() && one.(*tail).sum() == other.(*tail).sum()
	},
	DescribeOperation: func(input, _ any) string { return describeLog(input.(*Operation)) },
	DescribeState: func(state any) string {
		return fmt.Sprintf("%d messages", state.(*tail).end())
	},
}

// stepLog tells whether messages can be appended to a log, or be found there, at the offset where they were said to be.
func stepLog(before *tail, one *Operation) (bool, *tail) {
	if one.Action == "FETCH" {
		return before.end() == one.High && before.has(one.Offset, one.Values), before
	}
	if before.end() != one.Offset {
		return false, before
	}
	for _, value := range one.Values {
		before = before.with(value)
	}
	return true, before
}

// place finds, for appends of which nobody knows whether they happened, the offset at which anybody read them. It leaves
// out those that nobody read: they can have happened after all others. It is for histories at whose end all was read.
func place(operations []*Operation) []*Operation {
	found := map[string]int64{}
	for _, one := range operations {
		if one.Action != "FETCH" {
			continue
		}
		for i, value := range one.Values {
			if _, known := found[value]; !known {
				found[value] = one.Offset + int64(i)
			}
		}
	}
	var placed []*Operation
	for _, one := range operations {
		if one.Outcome == unknown {
			offset, there := offsetIn(found, one.Values)
			if !there {
				continue
			}
			copied := *one
			copied.Outcome, copied.Offset, copied.End = done, offset, math.MaxInt64
			one = &copied
		}
		placed = append(placed, one)
	}
	return placed
}

func offsetIn(found map[string]int64, values []string) (int64, bool) {
	for i, value := range values {
		if offset, there := found[value]; there {
			return offset - int64(i), true
		}
	}
	return 0, false
}

// end is the offset of the next message.
func (t *tail) end() int64 {
	if t == nil {
		return 0
	}
	return t.length
}

func (t *tail) sum() uint64 {
	if t == nil {
		return 0
	}
	return t.hash
}

func (t *tail) with(value string) *tail {
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%x %s", t.sum(), value)
	return &tail{before: t, value: value, length: t.end() + 1, hash: hash.Sum64()}
}

// has tells whether these messages stand there from an offset on, with or without others behind them.
func (t *tail) has(offset int64, values []string) bool {
	end := offset + int64(len(values))
	if end > t.end() {
		return false
	}
	for t.end() > end {
		t = t.before
	}
	for i := len(values) - 1; i >= 0; i-- {
		if t.value != values[i] {
			return false
		}
		t = t.before
	}
	return true
}

func describeLog(one *Operation) string {
	text := fmt.Sprintf("%s %v at %d", one.Action, one.Values, one.Offset)
	if one.Action == "FETCH" {
		text += fmt.Sprintf(" of %d", one.High)
	}
	return text
}
