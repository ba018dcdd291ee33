// Command oracle builds kustomizations with Kustomize's own packages, one JSON case per line.
//
// A line on standard input is a case, a line on standard output its answer, in the
// same order. The program ends when its input does, and with status 3 after it has
// answered a case that did not end within its time: what still runs cannot be stopped
// in any other way.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// A case of the generator takes some milliseconds; the first one reads the schema too.
	caseWithin = 8 * time.Second
	// One case is a few small files; a longer line is a fault of the caller.
	longestLine = 16 << 20
	// Aliases and globs multiply: a case must not take the machine with it.
	memoryAtMost = 1 << 30
	// Exit status after a case that did not end, or that took too much memory.
	exitHung = 3
)

func main() {
	// Warnings are not part of the answer.
	log.SetOutput(io.Discard)
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

// bounded answers c, and gives up on it after caseWithin.
func bounded(c Case) Answer {
	done := make(chan Answer, 1)
	go func() {
		answer := Answer{ID: c.ID}
		defer func() {
			if r := recover(); r != nil {
				answer.Panic = fmt.Sprint(r)
			}
			done <- answer
		}()
		output, err := answerTo(c)
		answer.Output = output
		if err != nil {
			answer.Output, answer.Error = "", err.Error()
			if answer.Error == "" {
				answer.Error = "an error that says nothing"
			}
		}
	}()
	select {
	case answer := <-done:
		return answer
	case <-time.After(caseWithin):
		return Answer{ID: c.ID, Hung: true, Error: "did not end"}
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
