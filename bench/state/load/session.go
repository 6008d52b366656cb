package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// Messages of clients, and of servers, by their numbers.
const (
	createSession, continueSession, keepAlive, clientRequest, closeSession, query byte = 1, 2, 3, 4, 6, 8

	sessionCreated, sessionContinued, sessionRejected, sessionClosed, keepAliveResponse, clientResponse byte = 1, 2, 3, 4, 5, 6
	requestError, queryResponse                                                                         byte = 8, 9

	notLeader rejected = 1
)

const (
	// What every message begins with, but for its number.
	mark = "zraft\x01"
	// No answer here is longer.
	maxMessage = 1 << 20
)

// A session conn is one session of skein on one connection. What it sends is numbered, and answered in that order.
type session struct {
	net.Conn
	in  *bufio.Reader
	out []byte
	id  string
	// The last request that was sent, and the last one that was answered.
	sent     int64
	answered atomic.Int64
}

// A rejected session does not begin, for this reason.
type rejected byte

func (r rejected) Error() string { return fmt.Sprintf("session rejected, reason %d", byte(r)) }

// dialSession begins a session, which only the leader has.
func dialSession(address string, _ int) (conn, error) {
	s, err := openSession(address)
	if err != nil {
		return nil, err
	}
	if err := s.create(); err != nil {
		s.Conn.Close()
		return nil, err
	}
	return s, nil
}

func openSession(address string) (*session, error) {
	c, err := net.DialTimeout("tcp", address, dialLimit)
	if err != nil {
		return nil, err
	}
	return &session{Conn: c, in: bufio.NewReaderSize(c, 4<<10)}, nil
}

func (s *session) create() error {
	nonce := rand.Int64N(1<<62) + 1
	s.out = framed(s.out[:0], createSession, func(to []byte) []byte {
		to = binary.BigEndian.AppendUint16(to, 1)
		to = appendText(appendText(to, "client"), "bench")
		return binary.BigEndian.AppendUint64(to, uint64(nonce))
	})
	body, err := s.ask(sessionCreated)
	if err != nil {
		return err
	}
	s.id = string(body[1 : 1+int(body[0])])
	return s.echoed(body[1+len(s.id):], nonce)
}

// resume goes on with a session on this connection.
func (s *session) resume(id string) error {
	nonce := rand.Int64N(1<<62) + 1
	s.out = framed(s.out[:0], continueSession, func(to []byte) []byte {
		to = append(append(to, byte(len(id))), id...)
		return binary.BigEndian.AppendUint64(to, uint64(nonce))
	})
	body, err := s.ask(sessionContinued)
	if err != nil {
		return err
	}
	s.id = id
	return s.echoed(body, nonce)
}

func (s *session) echoed(body []byte, nonce int64) error {
	if len(body) != 8 || int64(binary.BigEndian.Uint64(body)) != nonce {
		return errors.New("another nonce comes back")
	}
	return nil
}

// beat sends a keep-alive and waits for its echo.
func (s *session) beat() error {
	now := time.Now().Truncate(time.Microsecond)
	s.out = appendKeepAlive(s.out[:0], now)
	body, err := s.ask(keepAliveResponse)
	// Echoes that nobody waited for may come first.
	for err == nil && !timeOf(body).Equal(now) {
		body, err = s.read(keepAliveResponse)
	}
	return err
}

func appendKeepAlive(to []byte, at time.Time) []byte {
	return framed(to, keepAlive, func(to []byte) []byte {
		return binary.BigEndian.AppendUint64(to, uint64(at.UnixMicro()))
	})
}

// timeOf is the time that comes back with the echo of a keep-alive.
func timeOf(body []byte) time.Time {
	return time.UnixMicro(int64(binary.BigEndian.Uint64(body)))
}

func (s *session) set(key string, value []byte) error {
	if err := s.send(key, value); err != nil {
		return err
	}
	return s.receive()
}

// get is a query, with the consistency that queries have as they come.
func (s *session) get(key string, stale bool) error {
	if err := s.write(s.appendQuery(s.out[:0], key, stale)); err != nil {
		return err
	}
	return s.found()
}

func (s *session) found() error {
	body, err := s.read(queryResponse)
	if err != nil {
		return err
	}
	at := 2 + int(binary.BigEndian.Uint16(body)) + 4
	return succeeded(body[at:])
}

func succeeded(answer []byte) error {
	if !bytes.HasPrefix(answer, success) {
		return refused(answer)
	}
	return nil
}

func (s *session) batch(first, n int, value []byte) error {
	s.out = s.out[:0]
	for i := range n {
		s.out = s.appendSet(s.out, keyOf(first+i), value)
	}
	if err := s.write(s.out); err != nil {
		return err
	}
	return s.answers("set", n, func() {})
}

func (s *session) send(key string, value []byte) error {
	return s.write(s.appendSet(s.out[:0], key, value))
}

// receive waits for the answer to the oldest request.
func (s *session) receive() error {
	body, err := s.read(clientResponse)
	if err != nil {
		return err
	}
	return s.answer(body)
}

// answer takes an answer, which has to be that to the oldest request.
func (s *session) answer(body []byte) error {
	if id, due := int64(binary.BigEndian.Uint64(body)), s.answered.Add(1); id != due {
		return fmt.Errorf("answer %d comes instead of %d", id, due)
	}
	return succeeded(body[12:])
}

func (s *session) requests(what string, first, n int) error {
	s.out = s.out[:0]
	for i := range n {
		key := keyOf((first + i) % *keys)
		if what == "set" {
			s.out = s.appendSet(s.out, key, value256)
		} else {
			s.out = s.appendQuery(s.out, key, what == "stale")
		}
	}
	return s.write(s.out)
}

func (s *session) answers(what string, n int, done func()) error {
	for range n {
		var err error
		if what == "set" {
			err = s.receive()
		} else {
			err = s.found()
		}
		if err != nil {
			return err
		}
		done()
	}
	return nil
}

// With this value the payload of a request has some 256 bytes.
var value256 = []byte(strings.Repeat("0123456789", 22))

// appendSet adds a request that needs no answer any more below the oldest one without.
func (s *session) appendSet(to []byte, key string, value []byte) []byte {
	s.sent++
	return framed(to, clientRequest, func(to []byte) []byte {
		to = binary.BigEndian.AppendUint64(to, uint64(s.sent))
		to = binary.BigEndian.AppendUint64(to, uint64(s.answered.Load()+1))
		to = appendBlob(to, func(to []byte) []byte {
			return fmt.Appendf(to, `{"action":"SET","key":"%s","value":"%s"}`, key, value)
		})
		return binary.BigEndian.AppendUint64(to, uint64(time.Now().UnixMilli()))
	})
}

func (s *session) appendQuery(to []byte, key string, stale bool) []byte {
	return framed(to, query, func(to []byte) []byte {
		to = appendText(to, "q")
		to = appendBlob(to, func(to []byte) []byte {
			to = fmt.Appendf(to, `{"action":"GET","key":"%s"`, key)
			if stale {
				to = append(to, `,"consistency":"stale"`...)
			}
			return append(to, '}')
		})
		return binary.BigEndian.AppendUint64(to, uint64(time.Now().UnixMilli()))
	})
}

// leads is true: who does not lead takes no session.
func (s *session) leads() (bool, error)       { return true, s.beat() }
func (s *session) within(limit time.Duration) { s.SetDeadline(time.Now().Add(limit)) }

// close ends the session, too.
func (s *session) close() {
	s.write(framed(s.out[:0], closeSession, func(to []byte) []byte { return append(to, 1) }))
	s.Conn.Close()
}

func (s *session) write(out []byte) error {
	s.out = out
	_, err := s.Write(out)
	return err
}

func (s *session) ask(answer byte) ([]byte, error) {
	if _, err := s.Write(s.out); err != nil {
		return nil, err
	}
	return s.read(answer)
}

// read returns the body of the next message, which has to be of this kind.
func (s *session) read(kind byte) ([]byte, error) {
	found, body, err := s.next()
	if err == nil && found != kind {
		err = fmt.Errorf("message %d instead of %d", found, kind)
	}
	return body, err
}

// next returns the next message, unless that refuses something.
func (s *session) next() (kind byte, body []byte, err error) {
	head, err := s.in.Peek(4)
	if err != nil {
		return 0, nil, err
	}
	length := int(binary.BigEndian.Uint32(head))
	if length < len(mark)+1 || length > maxMessage {
		return 0, nil, fmt.Errorf("message of %d bytes", length)
	}
	message, err := s.take(4 + length)
	if err != nil {
		return 0, nil, err
	}
	if message = message[4:]; string(message[:len(mark)]) != mark {
		return 0, nil, fmt.Errorf("message %q", message)
	}
	kind, body = message[len(mark)], message[len(mark)+1:]
	switch kind {
	case sessionRejected:
		err = rejected(body[0])
	case sessionClosed:
		err = fmt.Errorf("session closed, reason %d", body[0])
	case requestError:
		err = refused(fmt.Sprintf("error %d of request %d", body[8], binary.BigEndian.Uint64(body)))
	}
	return kind, body, err
}

// take returns the next n bytes, which hold until the next call.
func (s *session) take(n int) ([]byte, error) {
	if n > s.in.Size() {
		whole := make([]byte, n)
		_, err := io.ReadFull(s.in, whole)
		return whole, err
	}
	whole, err := s.in.Peek(n)
	if err == nil {
		s.in.Discard(n)
	}
	return whole, err
}

func framed(to []byte, kind byte, body func(to []byte) []byte) []byte {
	at := len(to)
	to = append(to, 0, 0, 0, 0)
	to = body(append(append(to, mark...), kind))
	binary.BigEndian.PutUint32(to[at:], uint32(len(to)-at-4))
	return to
}

func appendText(to []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(to, uint16(len(text))), text...)
}

func appendBlob(to []byte, content func(to []byte) []byte) []byte {
	at := len(to)
	to = content(append(to, 0, 0, 0, 0))
	binary.BigEndian.PutUint32(to[at:], uint32(len(to)-at-4))
	return to
}
