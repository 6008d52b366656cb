package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// Longest line of a history, in bytes.
const maxLine = 1 << 20

// What there is where there is nothing.
const null = "null"

// Outcomes: what a client knows of its operation.
const (
	done    = "done"    // It happened.
	missing = "missing" // It found no value and changed nothing.
	refused = "refused" // The condition on the revision did not hold; Rev is the revision that was found.
	never   = "never"   // It surely did not happen.
	unknown = "unknown" // Nobody knows: it may happen at any time after its start, or never.
)

// Most keys of a group.
const maxKeys = 4

// A Condition holds when its key has this value; null is none.
type Condition struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	slot  int
}

// A Step is one of the things that are done at one moment: SET, GET, DEL or INCR.
type Step struct {
	Action string `json:"action"`
	Key    string `json:"key"`
	Value  string `json:"value,omitempty"`
	slot   int
}

// An Operation is one line of a history.
type Operation struct {
	// Process that did it; a process does one after the other.
	Process int `json:"process"`
	// Action is SET, GET, DEL or INCR of a key, TXN, MSET or MGET of several keys of a group, or APPEND or FETCH of a log.
	Action string `json:"action"`
	// Key, or the group of a TXN, MSET or MGET.
	Key string `json:"key"`
	// Group of keys that are judged together. Without it the key is judged alone.
	Group string `json:"group,omitempty"`
	// Value is what SET stores: any text. INCR adds 1 to a text that is an integer.
	Value string `json:"value,omitempty"`
	// If, Then and Else are a TXN: what it does if all conditions hold, and otherwise. MSET and MGET have Then alone.
	If   []Condition `json:"if,omitempty"`
	Then []Step      `json:"then,omitempty"`
	Else []Step      `json:"else,omitempty"`
	// IfRev is the condition of SET and DEL: the revision of the last change, 0 for no value.
	IfRev *int64 `json:"if_rev,omitempty"`
	// Start and End are times of one clock, in microseconds. End has no meaning when the outcome is unknown.
	Start   int64  `json:"start"`
	End     int64  `json:"end,omitempty"`
	Outcome string `json:"outcome"`
	// Seen is what GET read, and the sum of INCR.
	Seen string `json:"seen,omitempty"`
	// Succeeded tells whether the conditions of a TXN held.
	Succeeded bool `json:"succeeded,omitempty"`
	// Results are those of the steps that were done: "OK", what was read, the sum, 1 for what was deleted, null for nothing.
	Results []string `json:"results,omitempty"`
	// Rev is the revision of the change, of what was read, or of all there was when a TXN changed nothing.
	Rev int64 `json:"rev,omitempty"`
	// Values are the messages that APPEND adds, from Offset on, or that FETCH finds there.
	Values []string `json:"values,omitempty"`
	Offset int64    `json:"offset,omitempty"`
	// High is the offset after the last message of the log that FETCH saw.
	High int64 `json:"high,omitempty"`
	slot int
}

// isLog tells whether its key is a log.
func (one *Operation) isLog() bool {
	return one.Action == "APPEND" || one.Action == "FETCH"
}

// Changes tells whether it surely changed something, at a revision that is known.
func (one *Operation) Changes() bool {
	return one.Outcome == done && one.Action != "GET" && !one.isLog() && !one.looksOnly()
}

// isMany tells whether it is about several keys.
func (one *Operation) isMany() bool {
	return one.Action == "TXN" || one.Action == "MSET" || one.Action == "MGET"
}

// steps are those that were done.
func (one *Operation) steps(holds bool) []Step {
	if holds {
		return one.Then
	}
	return one.Else
}

// looksOnly tells whether it is about several keys, and has changed none.
func (one *Operation) looksOnly() bool {
	if !one.isMany() || one.Outcome != done {
		return false
	}
	for i, step := range one.steps(one.Succeeded) {
		if step.Action != "GET" && one.Results[i] != null {
			return false
		}
	}
	return true
}

// A Group is keys that are judged together, and what was done to them.
type Group struct {
	Name       string
	Keys       []string
	Operations []*Operation
}

// isLog tells whether it is one log.
func (group *Group) isLog() bool { return group.Operations[0].isLog() }

// slotOf is the place of a key among those of the group.
func (group *Group) slotOf(key string) (int, error) {
	for slot, one := range group.Keys {
		if one == key {
			return slot, nil
		}
	}
	if len(group.Keys) == maxKeys {
		return 0, fmt.Errorf("group %q has more than %d keys", group.Name, maxKeys)
	}
	group.Keys = append(group.Keys, key)
	return len(group.Keys) - 1, nil
}

func (group *Group) add(one *Operation) (err error) {
	group.Operations = append(group.Operations, one)
	if one.isLog() != group.isLog() {
		return fmt.Errorf("key %q is a log and none", one.Key)
	}
	if !one.isMany() {
		one.slot, err = group.slotOf(one.Key)
		return err
	}
	for i := range one.If {
		if one.If[i].slot, err = group.slotOf(one.If[i].Key); err != nil {
			return err
		}
	}
	for _, steps := range [][]Step{one.Then, one.Else} {
		for i := range steps {
			if steps[i].slot, err = group.slotOf(steps[i].Key); err != nil {
				return err
			}
		}
	}
	return nil
}

// A History is what clients saw. Operations that never happened are not in it.
type History struct {
	Groups []*Group
	Count  int
}

// Read reads one object a line.
func Read(input io.Reader) (*History, error) {
	history := &History{}
	groups := map[string]*Group{}
	lines := bufio.NewScanner(input)
	lines.Buffer(nil, maxLine)
	for number := 1; lines.Scan(); number++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		one := &Operation{}
		if err := json.Unmarshal(lines.Bytes(), one); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if err := one.check(); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		isRead := one.Action == "GET" || one.Action == "MGET" || one.Action == "FETCH"
		if one.Outcome == never || one.Outcome == unknown && isRead {
			continue
		}
		name := one.Key
		if one.Group != "" {
			name = one.Group
		}
		group := groups[name]
		if group == nil {
			group = &Group{Name: name}
			groups[name] = group
			history.Groups = append(history.Groups, group)
		}
		if err := group.add(one); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		history.Count++
	}
	return history, lines.Err()
}

func readFile(name string) (*History, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return Read(file)
}

func (one *Operation) check() error {
	switch one.Action {
	case "SET", "GET", "DEL", "INCR", "TXN", "MSET", "MGET", "APPEND", "FETCH":
	default:
		return fmt.Errorf("unknown action %q", one.Action)
	}
	for _, step := range append(append([]Step(nil), one.Then...), one.Else...) {
		switch step.Action {
		case "SET", "GET", "DEL", "INCR":
		default:
			return fmt.Errorf("unknown step %q", step.Action)
		}
	}
	if one.Action == "APPEND" && len(one.Values) == 0 {
		return errors.New("APPEND without a value")
	}
	if one.IfRev != nil && one.Action != "SET" && one.Action != "DEL" {
		return fmt.Errorf("%s has no condition", one.Action)
	}
	switch one.Outcome {
	case done:
		if one.isMany() && len(one.Results) != len(one.steps(one.Succeeded)) {
			return errors.New("each step has a result")
		}
		if !one.isLog() && !one.looksOnly() && one.Rev <= 0 {
			return errors.New("what happened has a revision from 1 on")
		}
	case missing:
		if one.Action != "GET" && one.Action != "DEL" {
			return fmt.Errorf("%s misses no value", one.Action)
		}
	case refused:
		if one.IfRev == nil {
			return errors.New("refused without a condition")
		}
	case never:
		return nil
	case unknown:
		one.End = math.MaxInt64
	default:
		return fmt.Errorf("unknown outcome %q", one.Outcome)
	}
	if one.End < one.Start {
		return errors.New("ends before it starts")
	}
	return nil
}
