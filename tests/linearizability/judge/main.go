// Judge reads a history of what clients of keys and values, or of logs, did and saw, one operation a line, and tells whether all of it can
// have happened one after the other, each at some moment between its start and its end. The search is porcupine's.
//
//	judge [-timeout 1m] [-drawing FILE] HISTORY
//
// It prints a line for each key, or group of keys, that is not well, and at last one that begins with the verdict: ok (exit code 0), illegal (1) or
// unknown (3), when the time for one was too short. A file that is no history ends it with 2.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/anishathalye/porcupine"
)

// Operations of a key that are printed: the last ones, where the search did not get any further.
const maxPrinted = 50

func main() {
	timeout := flag.Duration("timeout", time.Minute, "longest search for one key")
	drawing := flag.String("drawing", "", "file for a drawing (HTML) of the first illegal key")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	history, err := readFile(flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, "No history:", err)
		os.Exit(2)
	}
	switch judge(history, *timeout, *drawing, os.Stdout) {
	case porcupine.Illegal:
		os.Exit(1)
	case porcupine.Unknown:
		os.Exit(3)
	}
}

func judge(history *History, timeout time.Duration, drawing string, output io.Writer) porcupine.CheckResult {
	counts := map[porcupine.CheckResult]int{}
	keys := 0
	for _, group := range history.Groups {
		keys += len(group.Keys)
		events := eventsOf(group.Operations)
		rules, tight := model, events
		if group.isLog() {
			rules, tight = logModel, eventsOf(place(group.Operations))
		} else if len(group.Keys) == 1 {
			tight = eventsOf(tighten(group.Operations))
		}
		result := porcupine.CheckOperationsTimeout(rules, tight, timeout)
		counts[result]++
		if result == porcupine.Ok {
			continue
		}
		fmt.Fprintf(output, "%s: %s, %d operations\n", group, result, len(events))
		if result == porcupine.Illegal && counts[result] == 1 {
			print(output, group.Operations)
			if drawing != "" {
				draw(rules, events, timeout, drawing, output)
			}
		}
	}
	verdict := porcupine.Ok
	if counts[porcupine.Unknown] > 0 {
		verdict = porcupine.Unknown
	}
	if pair := disorder(history); pair != nil {
		fmt.Fprintln(output, "the revisions of two changes are in no order:")
		print(output, pair)
		verdict = porcupine.Illegal
	}
	if counts[porcupine.Illegal] > 0 {
		verdict = porcupine.Illegal
	}
	fmt.Fprintf(output, "%s: %d operations, %d keys, %d illegal, %d unknown\n", word(verdict), history.Count,
		keys, counts[porcupine.Illegal], counts[porcupine.Unknown])
	return verdict
}

// String names the key, or the keys.
func (group *Group) String() string {
	if len(group.Keys) == 1 {
		return fmt.Sprintf("key %q", group.Keys[0])
	}
	return fmt.Sprintf("keys %q", group.Keys)
}

func word(verdict porcupine.CheckResult) string {
	switch verdict {
	case porcupine.Ok:
		return "ok"
	case porcupine.Illegal:
		return "illegal"
	}
	return "unknown"
}

func eventsOf(operations []*Operation) []porcupine.Operation {
	events := make([]porcupine.Operation, len(operations))
	for i, one := range operations {
		events[i] = porcupine.Operation{ClientId: one.Process, Input: one, Call: one.Start, Return: one.End}
	}
	return events
}

func print(output io.Writer, operations []*Operation) {
	if len(operations) > maxPrinted {
		operations = operations[len(operations)-maxPrinted:]
	}
	for _, one := range operations {
		line, err := json.Marshal(one)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(output, "  %s\n", line)
	}
}

func draw(rules porcupine.Model, events []porcupine.Operation, timeout time.Duration, name string, output io.Writer) {
	_, info := porcupine.CheckOperationsVerbose(rules, events, timeout)
	if err := porcupine.VisualizePath(rules, info, name); err != nil {
		fmt.Fprintln(output, "no drawing:", err)
		return
	}
	fmt.Fprintln(output, "drawing:", name)
}
