package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"
)

const dialLimit = time.Second

// A lines conn speaks skein's JSON lines.
type lines struct {
	net.Conn
	in  *bufio.Reader
	out []byte
}

func dialLines(address string, _ int) (conn, error) {
	c, err := net.DialTimeout("tcp", address, dialLimit)
	if err != nil {
		return nil, err
	}
	return &lines{Conn: c, in: bufio.NewReaderSize(c, 16<<10)}, nil
}

func (l *lines) set(key string, value []byte) error {
	if err := l.send(key, value); err != nil {
		return err
	}
	return l.receive()
}

func (l *lines) get(key string, stale bool) error {
	l.out = appendGet(l.out[:0], key, stale)
	if _, err := l.Write(l.out); err != nil {
		return err
	}
	return l.receive()
}

func (l *lines) batch(first, n int, value []byte) error {
	l.out = l.out[:0]
	for i := range n {
		l.out = appendSet(l.out, keyOf(first+i), value)
	}
	if _, err := l.Write(l.out); err != nil {
		return err
	}
	var refusal error
	for range n {
		if err := l.receive(); errors.As(err, new(refused)) {
			refusal = err
		} else if err != nil {
			return err
		}
	}
	return refusal
}

func (l *lines) send(key string, value []byte) error {
	l.out = appendSet(l.out[:0], key, value)
	_, err := l.Write(l.out)
	return err
}

func appendSet(to []byte, key string, value []byte) []byte {
	return fmt.Appendf(to, `{"action":"SET","key":"%s","value":"%s"}`+"\n", key, value)
}

func appendGet(to []byte, key string, stale bool) []byte {
	to = fmt.Appendf(to, `{"action":"GET","key":"%s"`, key)
	if stale {
		to = append(to, `,"consistency":"stale"`...)
	}
	return append(to, "}\n"...)
}

func (l *lines) requests(what string, first, n int) error {
	l.out = l.out[:0]
	for i := range n {
		key := keyOf((first + i) % *keys)
		if what == "set" {
			l.out = appendSet(l.out, key, value)
		} else {
			l.out = appendGet(l.out, key, what == "stale")
		}
	}
	_, err := l.Write(l.out)
	return err
}

func (l *lines) answers(_ string, n int, done func()) error {
	for range n {
		if err := l.receive(); err != nil {
			return err
		}
		done()
	}
	return nil
}

func (l *lines) publish(n int) error {
	l.out = l.out[:0]
	for range n {
		l.out = fmt.Appendf(l.out, `{"action":"PUBLISH","channel":"%s","message":"%s"}`+"\n", channel, value)
	}
	if _, err := l.Write(l.out); err != nil {
		return err
	}
	return l.answers("publish", n, func() {})
}

func watchLines(address, key string, heard func(n int)) error {
	request := fmt.Appendf(nil, `{"action":"WATCH","key":"%s"}`+"\n", key)
	return countOf(address, request, isSuccess, `{"push":"change"`, heard)
}

func subscribeLines(address, channel string, heard func(n int)) error {
	request := fmt.Appendf(nil, `{"action":"SUBSCRIBE","channel":"%s"}`+"\n", channel)
	return countOf(address, request, isSuccess, `{"push":"message"`, heard)
}

func isSuccess(answer []byte) bool {
	return bytes.HasPrefix(answer, success) && bytes.IndexByte(answer, '\n') > 0
}

var success = []byte(`{"status":"ok"`)

func (l *lines) receive() error {
	answer, err := l.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(answer, success) {
		return refused(bytes.TrimSpace(answer))
	}
	return nil
}

func (l *lines) leads() (bool, error) {
	if _, err := l.Write([]byte(`{"action":"HELLO"}` + "\n")); err != nil {
		return false, err
	}
	answer, err := l.in.ReadSlice('\n')
	if err != nil {
		return false, err
	}
	var hello struct{ Result struct{ Node, Leader string } }
	err = json.Unmarshal(answer, &hello)
	return hello.Result.Leader == hello.Result.Node, err
}

func (l *lines) within(limit time.Duration) { l.SetDeadline(time.Now().Add(limit)) }
func (l *lines) close()                     { l.Close() }
