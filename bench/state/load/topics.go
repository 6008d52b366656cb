package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"time"
)

// Requests of the binary port, what every frame has besides, and the codes that matter here.
const (
	produceRequest, fetchRequest, offsetRequest = 1, 2, 3
	createRequest, healthRequest                = 4, 7
	requestHead, replyHead, checksumSize        = 12, 11, 4
	noSuchTopic, notLeader100                   = 8, 100
	fetchBytes                                  = 1 << 20
)

// A topics conn speaks skein's binary port: a set is a produce of one message, a get asks for the health.
type topics struct {
	net.Conn
	in     *bufio.Reader
	out    []byte
	frame  []byte
	nextID uint64
}

// A topicError is the code of a request that failed.
type topicError uint16

func (e topicError) Error() string { return fmt.Sprintf("error %d", uint16(e)) }

func dialTopics(address string, _ int) (conn, error) {
	c, err := net.DialTimeout("tcp", address, dialLimit)
	if err != nil {
		return nil, err
	}
	// Small, as there may be very many.
	return &topics{Conn: c, in: bufio.NewReaderSize(c, 4<<10)}, nil
}

// request adds a request to what is to be sent.
func (t *topics) request(kind byte, payload func(to []byte) []byte) {
	at := len(t.out)
	t.nextID++
	t.out = append(t.out, 0, 0, 0, 0)
	t.out = binary.BigEndian.AppendUint64(t.out, t.nextID)
	t.out = payload(append(t.out, kind, 1, 0, 0))
	t.out = binary.BigEndian.AppendUint32(t.out, crc32.ChecksumIEEE(t.out[at+4:]))
	binary.BigEndian.PutUint32(t.out[at:], uint32(len(t.out)-at-4))
}

func (t *topics) flush() error {
	_, err := t.Write(t.out)
	t.out = t.out[:0]
	return err
}

// reply returns the payload of the next reply, which holds until the next call.
func (t *topics) reply() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(t.in, head[:]); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint32(head[:]))
	if length < replyHead+checksumSize || length > 10<<20 {
		return nil, fmt.Errorf("frame of %d bytes", length)
	}
	if cap(t.frame) < length {
		t.frame = make([]byte, length)
	}
	frame := t.frame[:length]
	if _, err := io.ReadFull(t.in, frame); err != nil {
		return nil, err
	}
	content := frame[:length-checksumSize]
	if crc32.ChecksumIEEE(content) != binary.BigEndian.Uint32(frame[length-checksumSize:]) {
		return nil, errors.New("wrong checksum")
	}
	if content[8] != 0 {
		return nil, topicError(binary.BigEndian.Uint16(content[9:]))
	}
	return content[replyHead:], nil
}

func (t *topics) ask(kind byte, payload func(to []byte) []byte) ([]byte, error) {
	t.request(kind, payload)
	if err := t.flush(); err != nil {
		return nil, err
	}
	return t.reply()
}

func appendLong(to []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint32(to, uint32(len(text))), text...)
}

func appendPartition(to []byte) []byte {
	return binary.BigEndian.AppendUint32(appendLong(to, *topic), 0)
}

// produce adds a produce of n messages.
func (t *topics) produce(n int, value []byte) {
	t.request(produceRequest, func(to []byte) []byte {
		to = binary.BigEndian.AppendUint32(appendPartition(to), uint32(n))
		for range n {
			var head [20]byte // offset, timestamp, length of the key: none
			to = append(to, head[:]...)
			to = binary.BigEndian.AppendUint32(to, uint32(len(value)))
			to = binary.BigEndian.AppendUint32(append(to, value...), 0)
		}
		return to
	})
}

func (t *topics) set(key string, value []byte) error {
	if err := t.send(key, value); err != nil {
		return err
	}
	return t.receive()
}

func (t *topics) get(string, bool) error {
	_, err := t.ask(healthRequest, func(to []byte) []byte { return to })
	return err
}

func (t *topics) batch(_, n int, value []byte) error {
	t.produce(n, value)
	if err := t.flush(); err != nil {
		return err
	}
	return t.receive()
}

func (t *topics) send(_ string, value []byte) error {
	t.produce(1, value)
	return t.flush()
}

func (t *topics) receive() error {
	_, err := t.reply()
	return err
}

func (t *topics) requests(what string, _, n int) error {
	for range n {
		if what == "set" {
			t.produce(1, value)
		} else {
			t.request(healthRequest, func(to []byte) []byte { return to })
		}
	}
	return t.flush()
}

func (t *topics) answers(_ string, n int, done func()) error {
	for range n {
		if err := t.receive(); err != nil {
			return err
		}
		done()
	}
	return nil
}

// leads creates the topic where there is none.
func (t *topics) leads() (bool, error) {
	_, err := t.ask(offsetRequest, appendPartition)
	if errors.Is(err, topicError(noSuchTopic)) {
		_, err = t.ask(createRequest, func(to []byte) []byte {
			return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(appendLong(to, *topic), 1), 0)
		})
	}
	if errors.Is(err, topicError(notLeader100)) {
		return false, nil
	}
	return err == nil, err
}

func (t *topics) within(limit time.Duration) { t.SetDeadline(time.Now().Add(limit)) }
func (t *topics) close()                     { t.Close() }

// readAll fetches one MiB after the other from the beginning on, up to the end.
func (t *topics) readAll(int) (messages, bytes int, err error) {
	t.in = bufio.NewReaderSize(t.in, 64<<10)
	for offset := uint64(0); ; {
		payload, err := t.ask(fetchRequest, func(to []byte) []byte {
			to = binary.BigEndian.AppendUint64(appendPartition(to), offset)
			return binary.BigEndian.AppendUint32(to, fetchBytes)
		})
		if err != nil {
			return 0, 0, err
		}
		end := binary.BigEndian.Uint64(payload)
		n := int(binary.BigEndian.Uint32(payload[8:]))
		at := 12
		for range n {
			if found := binary.BigEndian.Uint64(payload[at:]); found != offset {
				return 0, 0, fmt.Errorf("offset %d instead of %d", found, offset)
			}
			at += 20 + int(binary.BigEndian.Uint32(payload[at+16:]))
			length := int(binary.BigEndian.Uint32(payload[at:]))
			if headers := binary.BigEndian.Uint32(payload[at+4+length:]); headers != 0 {
				return 0, 0, errors.New("headers of nobody")
			}
			at += 8 + length
			bytes += length
			offset++
		}
		messages += n
		if offset == end {
			return messages, bytes, nil
		}
		if n == 0 {
			return 0, 0, errors.New("nothing comes")
		}
	}
}

// A reader reads what was appended, from the beginning to the end, at least so many messages.
type reader interface {
	readAll(atLeast int) (messages, bytes int, err error)
}

// read fills a log, and reads all of it again and again.
func read(t target) (figures, error) {
	conns, err := t.connect(1)
	if err != nil {
		return nil, err
	}
	if err := t.fill(conns[0], 0, *keys, value); err != nil {
		return nil, err
	}
	r := conns[0].(reader)
	if _, _, err := r.readAll(*keys); err != nil {
		return nil, err
	}
	from := time.Now()
	used := cpuBetween(t.pids, from)
	time.Sleep(time.Millisecond)
	messages, bytes := 0, 0
	for time.Since(from) < *seconds {
		m, b, err := r.readAll(*keys)
		if err != nil {
			return nil, err
		}
		messages, bytes = messages+m, bytes+b
	}
	took := time.Since(from).Seconds()
	found := figures{
		"ops": float64(messages), "ops_s": float64(messages) / took, "mib_s": float64(bytes) / took / (1 << 20),
	}
	used(found)
	return found, nil
}

// ready tells how long it takes until a server leads and a value is acknowledged.
func ready(t target) (figures, error) {
	began := time.UnixMicro(int64(*since * 1000))
	err := eventually(*limit, func() error {
		conns, err := t.connect(1)
		if err != nil {
			return err
		}
		defer conns[0].close()
		return conns[0].set(keyOf(0), value)
	})
	return figures{"ms": ms(time.Since(began))}, err
}
