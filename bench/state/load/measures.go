package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// So many requests of the measure rate wait for an answer at most.
const maxWaiting = 1 << 20

var value = []byte(strings.Repeat("0123456789", 10))

func keyOf(n int) string { return fmt.Sprintf("k%d", n) }

// closedLoop lets every client ask, wait for the answer, and ask again.
func closedLoop(t target, what string) (figures, error) {
	conns, err := t.connect(*clients)
	if err != nil {
		return nil, err
	}
	if what != "set" && what != "batches" {
		if err := t.fill(conns[0], 0, *keys, value); err != nil {
			return nil, err
		}
	}
	return closedLoopOn(t, conns, what)
}

func closedLoopOn(t target, conns []conn, what string) (figures, error) {
	each := 1
	op := func(c conn, n int) error { return c.set(keyOf(n%*keys), value) }
	switch what {
	case "get", "stale":
		op = func(c conn, n int) error { return c.get(keyOf(n%*keys), what == "stale") }
	case "batches":
		each = *depth
		op = func(c conn, n int) error { return c.(batcher).batch(n*each%*keys, each, value) }
	}
	from := time.Now().Add(*warmUp)
	until := from.Add(*seconds)
	used := cpuBetween(t.pids, from)
	lists := make([][]float64, len(conns))
	failures := make([]error, len(conns))
	var all sync.WaitGroup
	for i, c := range conns {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := i; ; n += len(conns) {
				began := time.Now()
				if began.After(until) {
					return
				}
				if failures[i] = op(c, n); failures[i] != nil {
					return
				}
				if began.After(from) {
					lists[i] = append(lists[i], us(time.Since(began)))
				}
			}
		}()
	}
	all.Wait()
	found := summary(slices.Concat(lists...), each, time.Since(from))
	used(found)
	return found, errors.Join(failures...)
}

// openLoop sends at a fixed rate, however late the answers are. A time counts from when the request was due, so that
// requests that wait for their turn are not forgotten.
func openLoop(t target) (figures, error) {
	conns, err := t.connect(*clients)
	if err != nil {
		return nil, err
	}
	return openLoopOn(t, conns)
}

func openLoopOn(t target, conns []conn) (figures, error) {
	start := time.Now()
	from := start.Add(*warmUp)
	until := from.Add(*seconds)
	used := cpuBetween(t.pids, from)
	due := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second / time.Duration(*rate)) }
	lists := make([][]float64, len(conns))
	failures := make([]error, len(conns)+1)
	sent := make([]chan time.Time, len(conns))
	var all sync.WaitGroup
	for i, c := range conns {
		sent[i] = make(chan time.Time, maxWaiting/len(conns))
		all.Add(1)
		go func() {
			defer all.Done()
			for at := range sent[i] {
				if failures[i] = c.(piped).receive(); failures[i] != nil {
					return
				}
				if at.After(from) {
					lists[i] = append(lists[i], us(time.Since(at)))
				}
			}
		}()
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	last := len(conns)
	for n := 0; failures[last] == nil && due(n).Before(until); <-tick.C {
		for now := time.Now(); failures[last] == nil && due(n).Before(until) && !due(n).After(now); n++ {
			i := n % len(conns)
			failures[last] = conns[i].(piped).send(keyOf(n%*keys), value)
			select {
			case sent[i] <- due(n):
			default:
				failures[last] = fmt.Errorf("%d requests wait for an answer", len(sent[i]))
			}
		}
	}
	for _, queue := range sent {
		close(queue)
	}
	all.Wait()
	found := summary(slices.Concat(lists...), 1, time.Since(from))
	used(found)
	return found, errors.Join(failures...)
}

// fill sets many keys, on a few connections, and sends again what was refused, as it may be that nothing came of it. It
// tells how often that was.
func fill(t target) (figures, error) {
	conns, err := t.connect(*clients)
	if err != nil {
		return nil, err
	}
	const share = 10_000
	began := time.Now()
	var next, refusals atomic.Int64
	failures := make([]error, len(conns))
	var all sync.WaitGroup
	for i, c := range conns {
		all.Add(1)
		go func() {
			defer all.Done()
			for failures[i] == nil {
				first := int(next.Add(share)) - share
				if first >= *keys {
					return
				}
				n := min(share, *keys-first)
				for failures[i] = t.fill(c, first, n, value); errors.As(failures[i], new(refused)); {
					refusals.Add(1)
					failures[i] = t.fill(c, first, n, value)
				}
			}
		}()
	}
	all.Wait()
	return figures{"ms": ms(time.Since(began)), "refusals": float64(refusals.Load())}, errors.Join(failures...)
}

// fillPiped sets keys in batches of a thousand, or of one MiB where that is less.
func fillPiped(c conn, first, n int, value []byte) error {
	step := max(1, min(1_000, 1<<20/len(value)))
	for end := first + n; first < end; first += step {
		if err := c.(batcher).batch(first, min(step, end-first), value); err != nil {
			return err
		}
	}
	return nil
}

// await tells how long it takes until a read is answered by any server.
func await(t target) (figures, error) {
	began := time.Now()
	if *since > 0 {
		began = time.UnixMicro(int64(*since * 1000))
	}
	err := eventually(*limit, func() (err error) {
		for _, address := range t.addresses {
			var c conn
			if c, err = t.dial(address, 0); err != nil {
				continue
			}
			c.within(time.Second)
			err = c.get(*key, false)
			c.close()
			if err == nil {
				return nil
			}
		}
		return err
	})
	return figures{"ms": ms(time.Since(began))}, err
}

// failover kills the leader's process and tells how long no write is acknowledged, and who it was. Every server that
// is left is tried by itself, as clients of it would.
func failover(t target) (figures, error) {
	who, err := t.leader()
	if err != nil {
		return nil, err
	}
	if len(t.pids) != len(t.addresses) {
		return nil, fmt.Errorf("%d processes of %d servers", len(t.pids), len(t.addresses))
	}
	first := make(chan time.Time, len(t.addresses))
	began := time.Now()
	if err := syscall.Kill(t.pids[who], syscall.SIGKILL); err != nil {
		return nil, err
	}
	for i, address := range t.addresses {
		if i == who {
			continue
		}
		go func() {
			err := eventually(*limit, func() error {
				c, err := t.dial(address, len(t.addresses)-1)
				if err != nil {
					return err
				}
				defer c.close()
				// A server may wait for the dead leader longer than the election takes.
				c.within(200 * time.Millisecond)
				return c.set("failover", value)
			})
			if err == nil {
				first <- time.Now()
			}
		}()
	}
	return figures{"ms": ms((<-first).Sub(began)), "server": float64(who)}, nil
}

// summary sums up latencies in microseconds, each of so many requests.
func summary(latencies []float64, each int, took time.Duration) figures {
	slices.Sort(latencies)
	at := func(q float64) float64 {
		if len(latencies) == 0 {
			return 0
		}
		return latencies[max(0, int(math.Ceil(q*float64(len(latencies))))-1)]
	}
	sum := 0.0
	for _, one := range latencies {
		sum += one
	}
	count := float64(len(latencies) * each)
	return figures{
		"ops": count, "ops_s": count / took.Seconds(),
		"mean_us": sum / max(1, float64(len(latencies))), "p50_us": at(.5), "p99_us": at(.99), "p999_us": at(.999), "max_us": at(1),
	}
}

// cpuBetween adds the CPU time that servers and load have used between `from` and its call.
func cpuBetween(pids []int, from time.Time) func(figures) {
	var servers, own time.Duration
	timer := time.AfterFunc(time.Until(from), func() { servers, own = cpuOf(pids), cpu(os.Getpid()) })
	return func(f figures) {
		timer.Stop()
		took := time.Since(from)
		f["servers_cpu_us"] = us(cpuOf(pids)-servers) / max(1, f["ops"])
		f["load_cpu_pct"] = 100 * (cpu(os.Getpid()) - own).Seconds() / took.Seconds()
	}
}

// cpu is what all threads of a process have used so far, those that have ended included.
func cpu(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	var user, system time.Duration
	after := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	fmt.Sscan(after[11], &user)
	fmt.Sscan(after[12], &system)
	return (user + system) * 10 * time.Millisecond
}

func cpuOf(pids []int) (all time.Duration) {
	for _, pid := range pids {
		all += cpu(pid)
	}
	return all
}

func us(d time.Duration) float64 { return float64(d) / 1e3 }
func ms(d time.Duration) float64 { return float64(d) / 1e6 }
