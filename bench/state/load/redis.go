package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// A redis conn waits for one replica after each set where there are any: then the value is on two disks of three.
type redis struct {
	net.Conn
	in       *bufio.Reader
	out      []byte
	replicas int
}

func dialRedis(address string, replicas int) (conn, error) {
	c, err := net.DialTimeout("tcp", address, dialLimit)
	if err != nil {
		return nil, err
	}
	return &redis{Conn: c, in: bufio.NewReaderSize(c, 16<<10), replicas: replicas}, nil
}

func (r *redis) set(key string, value []byte) error {
	if err := r.send(key, value); err != nil {
		return err
	}
	return r.receive()
}

func (r *redis) get(key string, _ bool) error {
	if err := r.write(appendCommand(r.out[:0], "GET", key)); err != nil {
		return err
	}
	return r.found()
}

// found reads the value that a get is answered with.
func (r *redis) found() error {
	length, err := r.reply('$')
	if err == nil && length < 0 {
		return errors.New("no such key")
	}
	if err == nil {
		_, err = r.in.Discard(length + 2)
	}
	return err
}

func (r *redis) requests(what string, first, n int) error {
	out := r.out[:0]
	for i := range n {
		key := keyOf((first + i) % *keys)
		if what == "set" {
			out = appendCommand(out, "SET", key, string(value))
		} else {
			out = appendCommand(out, "GET", key)
		}
	}
	if what == "set" {
		out = r.withWait(out)
	}
	return r.write(out)
}

// answers counts sets that a replica has to have only once it has all of them.
func (r *redis) answers(what string, n int, done func()) error {
	late := what == "set" && r.replicas > 0
	for range n {
		var err error
		if what == "set" {
			_, err = r.reply('+')
		} else {
			err = r.found()
		}
		if err != nil {
			return err
		}
		if !late {
			done()
		}
	}
	if !late {
		return nil
	}
	if err := r.waited(); err != nil {
		return err
	}
	for range n {
		done()
	}
	return nil
}

func (r *redis) publish(n int) error {
	out := r.out[:0]
	for range n {
		out = appendCommand(out, "PUBLISH", channel, string(value))
	}
	if err := r.write(out); err != nil {
		return err
	}
	for range n {
		if _, err := r.reply(':'); err != nil {
			return err
		}
	}
	return nil
}

// watchRedis hears that a key has changed, but not to what.
func watchRedis(address, key string, heard func(n int)) error {
	c, err := dialRedis(address, 0)
	if err != nil {
		return err
	}
	defer c.close()
	r := c.(*redis)
	if err := r.write(appendCommand(nil, "CONFIG", "SET", "notify-keyspace-events", "K$")); err != nil {
		return err
	}
	if _, err := r.reply('+'); err != nil {
		return err
	}
	return subscribeRedis(address, "__keyspace@0__:"+key, heard)
}

func subscribeRedis(address, channel string, heard func(n int)) error {
	isSubscribed := func(answer []byte) bool { return bytes.HasSuffix(answer, []byte(":1\r\n")) }
	return countOf(address, appendCommand(nil, "SUBSCRIBE", channel), isSubscribed, "*3\r\n$7\r\nmessage\r\n", heard)
}

func (r *redis) batch(first, n int, value []byte) error {
	out := r.out[:0]
	for i := range n {
		out = appendCommand(out, "SET", keyOf(first+i), string(value))
	}
	if err := r.write(r.withWait(out)); err != nil {
		return err
	}
	for range n {
		if _, err := r.reply('+'); err != nil {
			return err
		}
	}
	return r.waited()
}

func (r *redis) send(key string, value []byte) error {
	return r.write(r.withWait(appendCommand(r.out[:0], "SET", key, string(value))))
}

func (r *redis) receive() error {
	if _, err := r.reply('+'); err != nil {
		return err
	}
	return r.waited()
}

// withWait adds the command that is answered once a replica has what came before it.
func (r *redis) withWait(out []byte) []byte {
	if r.replicas == 0 {
		return out
	}
	return appendCommand(out, "WAIT", "1", "5000")
}

func (r *redis) waited() error {
	if r.replicas == 0 {
		return nil
	}
	have, err := r.reply(':')
	if err == nil && have < 1 {
		return errors.New("no replica has it")
	}
	return err
}

func (r *redis) write(out []byte) error {
	r.out = out
	_, err := r.Write(out)
	return err
}

func appendCommand(to []byte, words ...string) []byte {
	to = fmt.Appendf(to, "*%d\r\n", len(words))
	for _, word := range words {
		to = fmt.Appendf(to, "$%d\r\n%s\r\n", len(word), word)
	}
	return to
}

// reply reads the line of a reply of this type; its number where it is one.
func (r *redis) reply(kind byte) (int, error) {
	line, err := r.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if line[0] != kind {
		return 0, fmt.Errorf("reply %q", line)
	}
	if kind == '+' {
		return 0, nil
	}
	return strconv.Atoi(strings.TrimSuffix(string(line[1:]), "\r\n"))
}

func (r *redis) leads() (bool, error) {
	if err := r.write(appendCommand(r.out[:0], "INFO", "replication")); err != nil {
		return false, err
	}
	length, err := r.reply('$')
	if err != nil {
		return false, err
	}
	text := make([]byte, length+2)
	if _, err := io.ReadFull(r.in, text); err != nil {
		return false, err
	}
	online := strings.Count(string(text), "state=online")
	return strings.Contains(string(text), "role:master") && online == r.replicas, nil
}

func (r *redis) within(limit time.Duration) { r.SetDeadline(time.Now().Add(limit)) }
func (r *redis) close()                     { r.Close() }

// A streams conn is the same for a stream, to which each set appends.
type streams struct{ *redis }

func dialStreams(address string, replicas int) (conn, error) {
	c, err := dialRedis(address, replicas)
	if err != nil {
		return nil, err
	}
	return streams{c.(*redis)}, nil
}

func (s streams) set(_ string, value []byte) error { return s.batch(0, 1, value) }

func (s streams) get(string, bool) error {
	if err := s.write(appendCommand(s.out[:0], "PING")); err != nil {
		return err
	}
	_, err := s.reply('+')
	return err
}

func (s streams) batch(_, n int, value []byte) error {
	out := s.out[:0]
	for range n {
		out = appendCommand(out, "XADD", *topic, "*", "v", string(value))
	}
	if err := s.write(s.withWait(out)); err != nil {
		return err
	}
	for range n {
		if _, err := s.bulk(); err != nil {
			return err
		}
	}
	return s.waited()
}

// readAll fetches a thousand messages at a time.
func (s streams) readAll(int) (messages, bytes int, err error) {
	for last := "-"; ; {
		if err := s.write(appendCommand(s.out[:0], "XRANGE", *topic, last, "+", "COUNT", "1000")); err != nil {
			return 0, 0, err
		}
		n, err := s.reply('*')
		if err != nil || n == 0 {
			return messages, bytes, err
		}
		for range n {
			if _, err := s.reply('*'); err != nil {
				return 0, 0, err
			}
			id, err := s.bulk()
			if err != nil {
				return 0, 0, err
			}
			last = "(" + string(id)
			if _, err := s.reply('*'); err != nil {
				return 0, 0, err
			}
			if _, err := s.bulk(); err != nil {
				return 0, 0, err
			}
			length, err := s.reply('$')
			if err == nil {
				_, err = s.in.Discard(length + 2)
			}
			if err != nil {
				return 0, 0, err
			}
			bytes += length
		}
		messages += n
	}
}

// bulk reads a short text.
func (r *redis) bulk() ([]byte, error) {
	length, err := r.reply('$')
	if err != nil {
		return nil, err
	}
	text := make([]byte, length+2)
	if _, err = io.ReadFull(r.in, text); err != nil {
		return nil, err
	}
	return text[:length], nil
}
