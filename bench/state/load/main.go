// Load puts the same load on servers of different kinds, so that its own cost is the same for all of them, and prints
// what it found as one line of JSON. bench/state.ts starts the servers and runs it once for each figure.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// A conn is one connection to one server. One goroutine uses it at a time, but for piped.receive.
type conn interface {
	// set returns once the value is acknowledged.
	set(key string, value []byte) error
	// get fails when there is nothing. A stale read need not know the newest.
	get(key string, stale bool) error
	// leads tells whether this server leads, and all are there.
	leads() (bool, error)
	// within lets whatever is not answered after this time fail.
	within(limit time.Duration)
	close()
}

// A batcher sets n keys from number first on and returns once all are acknowledged.
type batcher interface {
	batch(first, n int, value []byte) error
}

// A piped conn has several requests under way.
type piped interface {
	conn
	batcher
	// send begins a set; receive waits for the oldest one, in a goroutine of its own if need be.
	send(key string, value []byte) error
	receive() error
	// requests begins n sets, gets or stale gets from key number first on, in one write; answers waits for n of them,
	// in a goroutine of its own if need be, and tells of each that counts as done.
	requests(what string, first, n int) error
	answers(what string, n int, done func()) error
}

// A refused request was answered, with an error: the connection goes on.
type refused string

func (r refused) Error() string { return "answer " + string(r) }

// A kind of server: dials it, and fills n keys as fast as it goes.
type kind struct {
	dial func(address string, replicas int) (conn, error)
	fill func(c conn, first, n int, value []byte) error
	// watch and subscribe return once a connection of their own hears of every change of a key, or every message.
	watch, subscribe func(address, what string, heard func(n int)) error
	// lease begins, on a connection of its own, what ends by itself 10 s after its last beat; i tells it from others.
	lease func(address string, i int) (lease, error)
}

var kinds = map[string]kind{
	"lines":    {dialLines, fillPiped, watchLines, subscribeLines, nil},
	"sessions": {dialSession, fillPiped, nil, nil, leaseSession},
	"redis":    {dialRedis, fillPiped, watchRedis, subscribeRedis, leaseRedis},
	"etcd":     {dialEtcd, fillEtcd, watchEtcd, nil, leaseEtcd},
	"topics":   {dialTopics, fillPiped, nil, nil, nil},
	"streams":  {dialStreams, fillPiped, nil, nil, nil},
	"nats":     {dialNats, fillNats, nil, nil, nil},
}

var measures = map[string]func(t target) (figures, error){
	"set":             func(t target) (figures, error) { return closedLoop(t, "set") },
	"get":             func(t target) (figures, error) { return closedLoop(t, "get") },
	"stale":           func(t target) (figures, error) { return closedLoop(t, "stale") },
	"batches":         func(t target) (figures, error) { return closedLoop(t, "batches") },
	"rate":            openLoop,
	"fill":            fill,
	"await":           await,
	"failover":        failover,
	"set-pipelined":   func(t target) (figures, error) { return pipeline(t, "set") },
	"get-pipelined":   func(t target) (figures, error) { return pipeline(t, "get") },
	"stale-pipelined": func(t target) (figures, error) { return pipeline(t, "stale") },
	"watch":           watch,
	"publish":         publish,
	"idle":            idle,
	"beats":           beats,
	"create":          func(t target) (figures, error) { return beginnings(t, "create") },
	"continue":        func(t target) (figures, error) { return beginnings(t, "continue") },
	"redirect":        func(t target) (figures, error) { return beginnings(t, "redirect") },
	"sessions":        sessions,
	"idle-sessions":   idleSessions,
	"read":            read,
	"ready":           ready,
}

type figures map[string]float64

// A target is the servers under load.
type target struct {
	kind
	addresses []string
	pids      []int
}

var (
	kindName  = flag.String("kind", "lines", "what the servers speak: lines, sessions, redis, etcd, topics, streams or nats")
	addresses = flag.String("addresses", "", "HOST:PORT of every server, apart by commas")
	pids      = flag.String("pids", "", "their processes, in the same order")
	measure   = flag.String("measure", "set", "what is measured")
	listeners = flag.Int("listeners", 1, "who watches, or has subscribed")
	burst     = flag.Int("burst", 1_000, "messages that are published at once")
	clients   = flag.Int("clients", 1, "connections")
	depth     = flag.Int("depth", 64, "requests in a batch, or under way on one connection")
	seconds   = flag.Duration("time", 1500*time.Millisecond, "how long is measured")
	warmUp    = flag.Duration("warm-up", 300*time.Millisecond, "how long is not measured before")
	rate      = flag.Int("rate", 10_000, "requests a second of the measure rate")
	keys      = flag.Int("keys", 1_000, "how many keys there are")
	topic     = flag.String("topic", "load", "topic or stream that is appended to")
	size      = flag.Int("bytes", len(value), "bytes of a value")
	key       = flag.String("key", "k0", "what await reads")
	since     = flag.Float64("since", 0, "when the time of await began, in milliseconds of Unix time; 0: now")
	limit     = flag.Duration("limit", time.Minute, "after this the program fails, whatever it does")
)

func main() {
	flag.Parse()
	value = bytes.Repeat(value[:10], (*size+9)/10)[:*size]
	fail := func(err error) {
		fmt.Fprintf(os.Stderr, "load: %s of %s: %v\n", *measure, *kindName, err)
		os.Exit(1)
	}
	time.AfterFunc(*limit, func() { fail(fmt.Errorf("not done within %s", *limit)) })
	do := measures[*measure]
	t := target{kind: kinds[*kindName], addresses: strings.Split(*addresses, ",")}
	if do == nil || t.dial == nil {
		fail(fmt.Errorf("no such measure or kind"))
	}
	for _, text := range strings.Split(*pids, ",") {
		if text == "" {
			continue
		}
		pid, err := strconv.Atoi(text)
		if err != nil {
			fail(err)
		}
		t.pids = append(t.pids, pid)
	}
	found, err := do(t)
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		fail(err)
	}
}

// leader is the number of the server that leads, once one does.
func (t target) leader() (int, error) {
	who := 0
	err := eventually(30*time.Second, func() (err error) {
		for i := range t.addresses {
			var c conn
			if c, err = t.dial(t.addresses[i], len(t.addresses)-1); err != nil {
				continue
			}
			var leads bool
			c.within(time.Second)
			leads, err = c.leads()
			c.close()
			if err == nil && leads {
				who = i
				return nil
			}
		}
		return fmt.Errorf("no leader: %w", err)
	})
	return who, err
}

// connect makes n connections to the leader.
func (t target) connect(n int) ([]conn, error) {
	who, err := t.leader()
	if err != nil {
		return nil, err
	}
	conns := make([]conn, n)
	for i := range conns {
		if conns[i], err = t.dial(t.addresses[who], len(t.addresses)-1); err != nil {
			return nil, err
		}
	}
	return conns, nil
}

// eventually tries until it works; between two tries it waits for 2 ms.
func eventually(limit time.Duration, try func() error) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w", limit, err)
		case <-time.After(2 * time.Millisecond):
		}
	}
}
