package main

import (
	"fmt"
	"strconv"

	"github.com/anishathalye/porcupine"
)

// A register is what one key is, as far as it follows from what was seen.
type register struct {
	value   string
	present bool
	// Revision of the value; 0 without one, and when nobody saw it.
	rev int64
	// The last change of the key had at least this revision.
	floor int64
}

var model = porcupine.Model{
	Init: func() any { return register{} },
	Step: func(state, input, _ any) (bool, any) {
		return step(state.(register), input.(*Operation))
	},
	DescribeOperation: func(input, _ any) string { return describe(input.(*Operation)) },
	DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state.(register)) },
}

// step tells whether an operation with this outcome can happen to a register, and what comes of it. One whose outcome is unknown
// always can: that it never happened is the same as that it happened after all others.
func step(before register, one *Operation) (bool, register) {
	switch one.Outcome {
	case unknown:
		return true, perhaps(before, one)
	case missing:
		return !before.present, before
	case refused:
		if one.Rev == *one.IfRev {
			return false, before
		}
		if one.Rev == 0 {
			return !before.present, before
		}
		return before.seenAt(one.Rev)
	}
	if one.Action == "GET" {
		if one.Seen != before.value {
			return false, before
		}
		return before.seenAt(one.Rev)
	}
	if one.looksOnly() {
		if !before.present {
			return one.Seen == "null", before
		}
		return one.Seen == before.value && before.value != one.Expected, before
	}
	if one.IfRev != nil {
		var holds bool
		if holds, before = before.meets(*one.IfRev); !holds {
			return false, before
		}
	}
	after, ok := before.changedBy(one)
	if !ok || one.Rev <= before.floor || one.Action == "INCR" && after.value != one.Seen {
		return false, before
	}
	after.floor = one.Rev
	if after.present {
		after.rev = one.Rev
	}
	return true, after
}

func perhaps(before register, one *Operation) register {
	if one.IfRev != nil {
		if holds, _ := before.meets(*one.IfRev); !holds {
			return before
		}
	}
	after, ok := before.changedBy(one)
	if !ok {
		return before
	}
	after.floor = before.floor + 1
	return after
}

// changedBy is the register with a new value at a revision that is not known; not ok when there is nothing to change.
func (before register) changedBy(one *Operation) (register, bool) {
	switch one.Action {
	case "SET":
		return register{value: one.Value, present: true}, true
	case "DEL":
		return register{}, before.present
	case "TXN":
		return register{value: one.Value, present: true}, before.present && before.value == one.Expected
	}
	sum := int64(1)
	if before.present {
		old, err := strconv.ParseInt(before.value, 10, 64)
		if err != nil {
			return before, false
		}
		sum += old
	}
	return register{value: strconv.FormatInt(sum, 10), present: true}, true
}

// meets tells whether the condition on the revision can hold, and the register when it does.
func (before register) meets(ifRev int64) (bool, register) {
	if ifRev == 0 {
		return !before.present, before
	}
	return before.seenAt(ifRev)
}

// seenAt tells whether the value can have this revision, and the register when it has.
func (before register) seenAt(rev int64) (bool, register) {
	if !before.present || before.rev != 0 && before.rev != rev || rev < before.floor {
		return false, before
	}
	before.rev, before.floor = rev, rev
	return true, before
}

func describe(one *Operation) string {
	text := one.Action
	if one.Value != "" {
		text += " " + one.Value
	}
	if one.Action == "TXN" {
		text += " for " + one.Expected
	}
	if one.IfRev != nil {
		text += fmt.Sprintf(" if %d", *one.IfRev)
	}
	switch one.Outcome {
	case done:
		return fmt.Sprintf("%s -> %s @%d", text, one.Seen, one.Rev)
	case refused:
		return fmt.Sprintf("%s -> refused @%d", text, one.Rev)
	}
	return text + " -> " + one.Outcome
}
