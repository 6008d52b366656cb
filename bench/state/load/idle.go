package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// How many connections are being opened at a time.
const openers = 64

// idle opens connections, asks once on each, and lets them be; then each is asked once more.
func idle(t target) (figures, error) {
	before := resident(t.pids)
	began := time.Now()
	conns := make([]conn, *clients)
	ask := func(i int) error {
		conns[i].within(10 * time.Second)
		_, err := conns[i].leads()
		return err
	}
	err := inParallel(func(i int) (err error) {
		if conns[i], err = t.dial(t.addresses[0], 0); err != nil {
			return err
		}
		return ask(i)
	}, len(conns))
	if err != nil {
		return nil, err
	}
	opened := time.Since(began)
	time.Sleep(*seconds)
	found := figures{"ms": ms(opened), "kib_each": (resident(t.pids) - before) / 1024 / float64(len(conns))}
	return found, inParallel(ask, len(conns))
}

// inParallel does something for all numbers below count, some at a time.
func inParallel(do func(i int) error, count int) error {
	failures := make([]error, openers)
	var all sync.WaitGroup
	for o := range openers {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := o; i < count && failures[o] == nil; i += openers {
				failures[o] = do(i)
			}
		}()
	}
	all.Wait()
	return errors.Join(failures...)
}

// resident is the memory that processes have, in bytes.
func resident(pids []int) (all float64) {
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue
		}
		_, after, _ := strings.Cut(string(text), "VmRSS:")
		var kib float64
		fmt.Sscan(after, &kib)
		all += kib * 1024
	}
	return all
}
