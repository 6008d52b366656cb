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

// Outcomes: what a client knows of its operation.
const (
	done    = "done"    // It happened.
	missing = "missing" // It found no value and changed nothing.
	refused = "refused" // The condition on the revision did not hold; Rev is the revision that was found.
	never   = "never"   // It surely did not happen.
	unknown = "unknown" // Nobody knows: it may happen at any time after its start, or never.
)

// An Operation is one line of a history.
type Operation struct {
	// Process that did it; a process does one after the other.
	Process int `json:"process"`
	// Action is SET, GET, DEL, INCR or TXN.
	Action string `json:"action"`
	Key    string `json:"key"`
	// Value is what SET stores: any text. INCR adds 1 to a text that is an integer.
	// TXN stores it if there is what it expects, and reads what there is otherwise.
	Value string `json:"value,omitempty"`
	// Expected is what TXN expects.
	Expected string `json:"expected,omitempty"`
	// IfRev is the condition of SET and DEL: the revision of the last change, 0 for no value.
	IfRev *int64 `json:"if_rev,omitempty"`
	// Start and End are times of one clock, in microseconds. End has no meaning when the outcome is unknown.
	Start   int64  `json:"start"`
	End     int64  `json:"end,omitempty"`
	Outcome string `json:"outcome"`
	// Seen is what GET read, the sum of INCR, and what a TXN read: null for nothing.
	Seen string `json:"seen,omitempty"`
	// Swapped tells whether a TXN has stored its value.
	Swapped bool `json:"swapped,omitempty"`
	// Rev is the revision of the change, or of what was read.
	Rev int64 `json:"rev,omitempty"`
}

// Changes tells whether it surely changed something, at a revision that is known.
func (one *Operation) Changes() bool {
	return one.Outcome == done && one.Action != "GET" && !one.looksOnly()
}

// looksOnly tells whether it is a TXN that has stored nothing. It has no revision.
func (one *Operation) looksOnly() bool {
	return one.Action == "TXN" && one.Outcome == done && !one.Swapped
}

// A History is what clients saw. Operations that never happened are not in it.
type History struct {
	Keys  []string
	ByKey map[string][]*Operation
	Count int
}

// Read reads one object a line.
func Read(input io.Reader) (*History, error) {
	history := &History{ByKey: map[string][]*Operation{}}
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
		if one.Outcome == never || one.Outcome == unknown && one.Action == "GET" {
			continue
		}
		if history.ByKey[one.Key] == nil {
			history.Keys = append(history.Keys, one.Key)
		}
		history.ByKey[one.Key] = append(history.ByKey[one.Key], one)
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
	case "SET", "GET", "DEL", "INCR", "TXN":
	default:
		return fmt.Errorf("unknown action %q", one.Action)
	}
	if one.IfRev != nil && one.Action != "SET" && one.Action != "DEL" {
		return fmt.Errorf("%s has no condition", one.Action)
	}
	switch one.Outcome {
	case done:
		if one.looksOnly() {
			if one.Rev != 0 {
				return errors.New("what only looks has no revision")
			}
		} else if one.Rev <= 0 {
			return errors.New("what happened has a revision from 1 on")
		}
	case missing:
		if one.Action == "SET" || one.Action == "INCR" || one.Action == "TXN" {
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
