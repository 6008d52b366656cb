package main

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// So many beginnings are not measured, and so many are: a server lets no more than some hundreds begin at once.
	firstBeginnings, beginningsMeasured = 20, 200
	// How often a session beats that has other things to do, and one that rests, as clients do by themselves.
	beatEvery, restingBeatEvery = time.Second, 30 * time.Second
	// So many sessions begin in a second, where there are very many.
	creationRate = 450
)

// beginnings tells how long it takes, from dialling on, until a session has begun, goes on, or is known to be elsewhere.
func beginnings(t target, what string) (figures, error) {
	who, err := t.leader()
	if err != nil {
		return nil, err
	}
	leader := t.addresses[who]
	c, err := dialSession(leader, 0)
	if err != nil {
		return nil, err
	}
	last := c.(*session)
	defer func() { last.close() }()
	var do func() error
	switch what {
	case "create":
		do = func() error {
			last.close()
			c, err := dialSession(leader, 0)
			if err == nil {
				last = c.(*session)
			}
			return err
		}
	case "continue":
		do = func() error {
			next, err := openSession(leader)
			if err == nil {
				err = next.resume(last.id)
			}
			if err == nil {
				last.Conn.Close()
				last = next
			}
			return err
		}
	case "redirect":
		do = func() error {
			_, err := dialSession(t.addresses[(who+1)%len(t.addresses)], 0)
			if reason := rejected(0); !errors.As(err, &reason) || reason != notLeader {
				return fmt.Errorf("not redirected, but %v", err)
			}
			return nil
		}
	}
	var latencies []float64
	began := time.Now()
	for n := range firstBeginnings + beginningsMeasured {
		at := time.Now()
		if err := do(); err != nil {
			return nil, err
		}
		if n >= firstBeginnings {
			latencies = append(latencies, us(time.Since(at)))
		}
	}
	return summary(latencies, 1, time.Since(began)), nil
}

// sessions sends requests at a fixed rate, by many sessions in turn, each of which beats once a second besides. A time
// counts from when the request, or the beat, was due. The program fails when a session ends.
func sessions(t target) (figures, error) {
	conns, err := t.connect(*clients)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	from := start.Add(*warmUp)
	count := int((*warmUp + *seconds).Seconds() * float64(*rate))
	used := cpuBetween(t.pids, from)
	due := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second / time.Duration(*rate)) }
	lists, beats := make([][]float64, len(conns)), make([][]float64, len(conns))
	failures := make([]error, len(conns)+1)
	var all sync.WaitGroup
	for i, c := range conns {
		all.Add(1)
		go func() {
			defer all.Done()
			s := c.(*session)
			for n := i; n < count && failures[i] == nil; {
				var kind byte
				var body []byte
				var at time.Time
				kind, body, failures[i] = s.next()
				list := lists
				switch {
				case failures[i] != nil:
					return
				case kind == keepAliveResponse:
					at, list = timeOf(body), beats
				default:
					at = due(n)
					n += len(conns)
					failures[i] = s.answer(body)
				}
				if at.After(from) {
					list[i] = append(list[i], us(time.Since(at)))
				}
			}
		}()
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	failed := &failures[len(conns)]
	for n, beat := 0, newBeats(conns, beatEvery); *failed == nil && n < count; <-tick.C {
		for now := time.Now(); *failed == nil && n < count && !due(n).After(now); n++ {
			*failed = conns[n%len(conns)].(*session).send(keyOf(n%*keys), value)
		}
		beat.send()
	}
	all.Wait()
	found := summary(slices.Concat(lists...), 1, time.Since(from))
	used(found)
	found["beat_p99_us"] = summary(slices.Concat(beats...), 1, *seconds)["p99_us"]
	return found, errors.Join(failures...)
}

// Beats of sessions that come in turn, all of them once in so long.
type beatsInTurn struct {
	conns []conn
	every time.Duration
	start time.Time
	sent  int
	out   []byte
}

func newBeats(conns []conn, every time.Duration) *beatsInTurn {
	return &beatsInTurn{conns: conns, every: every, start: time.Now()}
}

// send sends those that are due; whoever reads finds out when a session is gone.
func (b *beatsInTurn) send() {
	for ; ; b.sent++ {
		due := b.start.Add(time.Duration(b.sent) * b.every / time.Duration(len(b.conns)))
		if due.After(time.Now()) {
			return
		}
		b.out = appendKeepAlive(b.out[:0], due)
		b.conns[b.sent%len(b.conns)].(*session).Write(b.out)
	}
}

// idleSessions begins very many sessions and lets them rest. It tells what a server has more of then and how much it
// works: the one of all that has, or does, most.
func idleSessions(t target) (figures, error) {
	who, err := t.leader()
	if err != nil {
		return nil, err
	}
	memory := func(pid int) float64 { return resident([]int{pid}) / (1 << 20) }
	had := eachOf(t.pids, memory)
	conns := make([]conn, *clients)
	began := time.Now()
	err = inParallel(func(i int) (err error) {
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / creationRate)))
		conns[i], err = dialSession(t.addresses[who], 0)
		return err
	}, len(conns))
	if err != nil {
		return nil, err
	}
	opened := time.Since(began)
	work := func(pid int) float64 { return cpu(pid).Seconds() }
	worked := eachOf(t.pids, work)
	rest := time.Now()
	for beat := newBeats(conns, restingBeatEvery); time.Since(rest) < *seconds; time.Sleep(time.Millisecond) {
		beat.send()
	}
	took := time.Since(rest)
	found := figures{"ms": ms(opened)}
	for i, pid := range t.pids {
		found["growth_mib"] = max(found["growth_mib"], memory(pid)-had[i])
		found["cpu_pct"] = max(found["cpu_pct"], 100*(work(pid)-worked[i])/took.Seconds())
	}
	return found, inParallel(func(i int) error { return conns[i].(*session).beat() }, len(conns))
}

func eachOf(pids []int, figure func(pid int) float64) []float64 {
	all := make([]float64, len(pids))
	for i, pid := range pids {
		all[i] = figure(pid)
	}
	return all
}
