package main

import (
	"encoding/json"
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

// A world is all keys of a group.
type world struct {
	registers [maxKeys]register
	// The last change of any of them had at least this revision.
	floor int64
}

var model = porcupine.Model{
	Init: func() any { return world{} },
	Step: func(state, input, _ any) (bool, any) {
		return step(state.(world), input.(*Operation))
	},
	DescribeOperation: func(input, _ any) string { return describe(input.(*Operation)) },
	DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state.(world)) },
}

// step tells whether an operation with this outcome can happen to a world, and what comes of it. One whose outcome is unknown
// always can: that it never happened is the same as that it happened after all others.
func step(before world, one *Operation) (bool, world) {
	if one.isMany() {
		return transact(before, one)
	}
	there := before.registers[one.slot]
	switch one.Outcome {
	case unknown:
		return true, perhaps(before, one)
	case missing:
		return !there.present, before
	case refused:
		if one.Rev == *one.IfRev {
			return false, before
		}
		if one.Rev == 0 {
			return !there.present, before
		}
		return before.seenAt(one.slot, one.Rev)
	}
	if one.Action == "GET" {
		if one.Seen != there.value {
			return false, before
		}
		return before.seenAt(one.slot, one.Rev)
	}
	if one.IfRev != nil {
		var holds bool
		if holds, before = before.meets(one.slot, *one.IfRev); !holds {
			return false, before
		}
	}
	after, ok := there.changedBy(one.Action, one.Value)
	if !ok || one.Rev <= before.floor || one.Action == "INCR" && after.value != one.Seen {
		return false, before
	}
	return true, before.with(one.slot, after, one.Rev)
}

func perhaps(before world, one *Operation) world {
	if one.IfRev != nil {
		if holds, _ := before.meets(one.slot, *one.IfRev); !holds {
			return before
		}
	}
	after, ok := before.registers[one.slot].changedBy(one.Action, one.Value)
	if !ok {
		return before
	}
	return before.with(one.slot, after, 0)
}

// transact is the step of what is about several keys: all of it happens, at one revision, or nothing.
func transact(before world, one *Operation) (bool, world) {
	holds := true
	for _, condition := range one.If {
		holds = holds && before.registers[condition.slot].text() == condition.Value
	}
	if one.Outcome == done && holds != one.Succeeded {
		return false, before
	}
	after := before
	var changed []int
	for i, step := range one.steps(holds) {
		there := after.registers[step.slot]
		result := there.text()
		if step.Action == "DEL" && there.present {
			result = "1"
		}
		if step.Action != "GET" && (step.Action != "DEL" || there.present) {
			next, ok := there.changedBy(step.Action, step.Value)
			if !ok {
				// One step that cannot be done undoes the others.
				return one.Outcome == unknown, before
			}
			after.registers[step.slot] = next
			changed = append(changed, step.slot)
			if step.Action == "SET" {
				result = `"OK"`
			} else if step.Action == "INCR" {
				result = next.value
			}
		}
		if one.Outcome == done && one.Results[i] != result {
			return false, before
		}
	}
	if len(changed) == 0 {
		if one.Outcome == unknown || one.Rev == 0 {
			return true, before
		}
		// It tells of all there was.
		after.floor = max(before.floor, one.Rev)
		return one.Rev >= before.floor, after
	}
	if one.Outcome == done && one.Rev <= before.floor {
		return false, before
	}
	rev := one.Rev
	if one.Outcome == unknown {
		rev = 0
	}
	after.floor = before.floor
	for i, slot := range changed {
		if i > 0 {
			after.floor = before.floor
		}
		after = after.with(slot, after.registers[slot], rev)
	}
	return true, after
}

// with is the world after a change of one key, at a revision that is 0 when it is not known.
func (before world) with(slot int, after register, rev int64) world {
	before.floor++
	if rev > 0 {
		before.floor = rev
	}
	after.floor = before.floor
	after.rev = 0
	if after.present {
		after.rev = rev
	}
	before.registers[slot] = after
	return before
}

// text is the value, or null.
func (before register) text() string {
	if before.present {
		return before.value
	}
	return null
}

// changedBy is the register with a new value; not ok when there is nothing to change.
func (before register) changedBy(action, value string) (register, bool) {
	switch action {
	case "SET":
		return register{value: value, present: true}, true
	case "DEL":
		return register{}, before.present
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

// meets tells whether the condition on the revision can hold, and the world when it does.
func (before world) meets(slot int, ifRev int64) (bool, world) {
	if ifRev == 0 {
		return !before.registers[slot].present, before
	}
	return before.seenAt(slot, ifRev)
}

// seenAt tells whether the value can have this revision, and the world when it has.
func (before world) seenAt(slot int, rev int64) (bool, world) {
	there := &before.registers[slot]
	if !there.present || there.rev != 0 && there.rev != rev || rev < there.floor {
		return false, before
	}
	there.rev, there.floor = rev, rev
	before.floor = max(before.floor, rev)
	return true, before
}

func describe(one *Operation) string {
	text := one.Action
	if one.Value != "" {
		text += " " + one.Value
	}
	if one.isMany() {
		for _, part := range []any{one.If, one.Then, one.Else} {
			line, err := json.Marshal(part)
			if err != nil {
				panic(err)
			}
			text += " " + string(line)
		}
	}
	if one.IfRev != nil {
		text += fmt.Sprintf(" if %d", *one.IfRev)
	}
	switch one.Outcome {
	case done:
		if one.isMany() {
			return fmt.Sprintf("%s -> %t %v @%d", text, one.Succeeded, one.Results, one.Rev)
		}
		return fmt.Sprintf("%s -> %s @%d", text, one.Seen, one.Rev)
	case refused:
		return fmt.Sprintf("%s -> refused @%d", text, one.Rev)
	}
	return text + " -> " + one.Outcome
}
