// Command oracle renders charts with Helm's own packages, one JSON case per line.
//
// A line on standard input is a case, a line on standard output its answer, in the
// same order. The program ends when its input does, and with status 3 after it has
// answered a case that did not end within its time: what still runs cannot be stopped
// in any other way.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// A case of the generator takes about a millisecond.
	caseWithin = 5 * time.Second
	// One case may hold a chart; a longer line is a fault of the caller.
	longestLine = 16 << 20
	// A template that repeats a gigabyte must not take the machine with it.
	memoryAtMost = 1 << 30
	// Exit status after a case that did not end, or that took too much memory.
	exitHung = 3
)

func main() {
	// Warnings of Helm are not part of its answer.
	log.SetOutput(io.Discard)
	slog.SetDefault(slog.New(slog.DiscardHandler))
	debug.SetMemoryLimit(memoryAtMost / 2)
	go watchMemory()
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestLine)
	answers := json.NewEncoder(out)
	answers.SetEscapeHTML(false)
	for lines.Scan() {
		var c Case
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return fmt.Errorf("a case: %w", err)
		}
		answer := bounded(c)
		if err := answers.Encode(answer); err != nil {
			return err
		}
		if answer.Hung {
			os.Exit(exitHung)
		}
	}
	return lines.Err()
}

// bounded renders c, and gives up on it after caseWithin.
func bounded(c Case) Answer {
	ctx, cancel := context.WithTimeout(context.Background(), caseWithin)
	defer cancel()
	done := make(chan Answer, 1)
	go func() {
		answer := Answer{ID: c.ID}
		defer func() {
			if r := recover(); r != nil {
				answer.Panic = fmt.Sprint(r)
			}
			done <- answer
		}()
		output, notes, err := render(c)
		answer.Output, answer.Notes = output, notes
		if err != nil {
			answer.Output, answer.Error = "", err.Error()
		}
	}()
	select {
	case answer := <-done:
		return answer
	case <-ctx.Done():
		return Answer{ID: c.ID, Hung: true, Error: errors.New("did not end").Error()}
	}
}

// watchMemory ends the program when the heap grows past memoryAtMost.
func watchMemory() {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	for range time.Tick(20 * time.Millisecond) {
		metrics.Read(sample)
		if sample[0].Value.Uint64() > memoryAtMost {
			os.Exit(exitHung)
		}
	}
}
