// A cluster of go.etcd.io/raft servers that does what it is told, line by line, and says what came of it.
//
// Each line on standard input is a phase: one input to one server, and a network that delays nothing, but cuts links, loses
// kinds of messages and repeats what goes over some links. When no message is under way any more, the leaders send heartbeats,
// which nothing but a cut keeps from arriving. Then each server's state goes to standard output, as one line.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"slices"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// Rounds of heartbeats at the end of a phase: one finds out who lacks what, one tells the commit.
const heartbeats = 2

// Rounds of deliveries that a phase may take.
const maxRounds = 10_000

type phase struct {
	// start, campaign, propose, transfer, restart or nothing
	Input string
	// The server that gets the input, or the number of servers to start.
	ID uint64
	// What is proposed.
	Data []string
	// Who campaigns at the same time, if not 0.
	Rival uint64
	// Who is to take over.
	Target uint64
	// Bytes of entries in a message, for start.
	MaxSize uint64
	// Links in the order in which they deliver, as "from>to".
	Order []string
	// Links that deliver nothing.
	Cut []string
	// Messages that are lost, as "from>to kind", until the heartbeats.
	Lost []string
	// Messages, written like those, that come (again, unless they are lost) just before the next phase.
	Late []string
	// Links that deliver everything twice.
	Twice []string
}

type state struct {
	ID     uint64   `json:"id"`
	Role   string   `json:"role"`
	Term   uint64   `json:"term"`
	Vote   uint64   `json:"vote"`
	Leader uint64   `json:"leader"`
	Commit uint64   `json:"commit"`
	Log    []string `json:"log"`
}

type server struct {
	node    *raft.RawNode
	storage *raft.MemoryStorage
}

type cluster struct {
	servers map[uint64]*server
	ids     []uint64
	maxSize uint64
	flying  []pb.Message
	late    []pb.Message
}

func main() {
	raft.SetLogger(&raft.DefaultLogger{Logger: log.New(io.Discard, "", 0)})
	var c cluster
	in, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		check(err)
		var p phase
		check(json.Unmarshal(line, &p))
		c.run(p)
		check(out.Encode(c.states()))
	}
}

func (c *cluster) run(p phase) {
	c.flying, c.late = c.late, nil
	c.settle(phase{Order: p.Order, Cut: p.Cut})
	switch p.Input {
	case "start":
		c.start(p.ID, p.MaxSize)
	case "campaign":
		check(c.servers[p.ID].node.Campaign())
		if p.Rival != 0 {
			check(c.servers[p.Rival].node.Campaign())
		}
	case "propose":
		for _, text := range p.Data {
			check(c.servers[p.ID].node.Propose([]byte(text)))
		}
	case "transfer":
		c.servers[p.ID].node.TransferLeader(p.Target)
	case "restart":
		c.boot(p.ID)
	case "nothing":
	default:
		panic("unknown input " + p.Input)
	}
	c.settle(p)
	p.Lost, p.Late = nil, nil
	for range heartbeats {
		for _, id := range c.ids {
			if node := c.servers[id].node; node.BasicStatus().RaftState == raft.StateLeader {
				node.Tick()
			}
		}
		c.settle(p)
	}
}

// The first entry is the one that says who belongs to the cluster: it is covered by a snapshot here.
func (c *cluster) start(count, maxSize uint64) {
	*c = cluster{servers: map[uint64]*server{}, maxSize: maxSize}
	for id := uint64(1); id <= count; id++ {
		c.ids = append(c.ids, id)
	}
	for _, id := range c.ids {
		storage := raft.NewMemoryStorage()
		check(storage.ApplySnapshot(pb.Snapshot{Metadata: pb.SnapshotMetadata{
			Index: 1, Term: 1, ConfState: pb.ConfState{Voters: c.ids},
		}}))
		check(storage.SetHardState(pb.HardState{Term: 1, Commit: 1}))
		c.servers[id] = &server{storage: storage}
		c.boot(id)
	}
}

func (c *cluster) boot(id uint64) {
	s := c.servers[id]
	node, err := raft.NewRawNode(&raft.Config{
		ID: id, ElectionTick: 1_000_000, HeartbeatTick: 1, Storage: s.storage, PreVote: true,
		MaxSizePerMsg: c.maxSize, MaxCommittedSizePerReady: 1 << 20, MaxInflightMsgs: 256, DisableProposalForwarding: true,
	})
	check(err)
	s.node = node
}

// Carries out what the servers ask for, and delivers, until nothing is left to do.
func (c *cluster) settle(p phase) {
	for range maxRounds {
		for _, id := range c.ids {
			c.collect(c.servers[id])
		}
		if len(c.flying) == 0 {
			return
		}
		round := c.flying
		c.flying = nil
		slices.SortStableFunc(round, func(a, b pb.Message) int {
			return slices.Index(p.Order, link(a)) - slices.Index(p.Order, link(b))
		})
		for _, m := range round {
			if slices.Contains(p.Late, link(m)+" "+kind(m)) {
				c.late = append(c.late, m)
			}
			if slices.Contains(p.Cut, link(m)) || slices.Contains(p.Lost, link(m)+" "+kind(m)) {
				continue
			}
			c.deliver(m)
			if slices.Contains(p.Twice, link(m)) {
				c.deliver(m)
			}
		}
	}
	panic("messages never end")
}

func (c *cluster) deliver(m pb.Message) {
	s := c.servers[m.To]
	check(s.node.Step(m))
	c.collect(s)
}

func (c *cluster) collect(s *server) {
	for s.node.HasReady() {
		ready := s.node.Ready()
		if !raft.IsEmptyHardState(ready.HardState) {
			check(s.storage.SetHardState(ready.HardState))
		}
		check(s.storage.Append(ready.Entries))
		c.flying = append(c.flying, ready.Messages...)
		s.node.Advance(ready)
	}
}

func (c *cluster) states() []state {
	var all []state
	for _, id := range c.ids {
		s := c.servers[id]
		status := s.node.BasicStatus()
		last, err := s.storage.LastIndex()
		check(err)
		var texts []string
		if last > 1 {
			entries, err := s.storage.Entries(2, last+1, 1<<60)
			check(err)
			for _, e := range entries {
				texts = append(texts, fmt.Sprintf("%d %s", e.Term, e.Data))
			}
		}
		all = append(all, state{
			ID: id, Role: status.RaftState.String(), Term: status.Term, Vote: status.Vote,
			Leader: status.Lead, Commit: status.Commit, Log: texts,
		})
	}
	return all
}

func link(m pb.Message) string {
	return fmt.Sprintf("%d>%d", m.From, m.To)
}

func kind(m pb.Message) string {
	switch m.Type {
	case pb.MsgPreVote:
		return "pre-vote"
	case pb.MsgPreVoteResp:
		return "pre-vote-reply"
	case pb.MsgVote:
		return "vote"
	case pb.MsgVoteResp:
		return "vote-reply"
	case pb.MsgApp, pb.MsgHeartbeat:
		return "append"
	case pb.MsgAppResp, pb.MsgHeartbeatResp:
		return "append-reply"
	default:
		return m.Type.String()
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
