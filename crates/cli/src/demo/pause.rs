//! Waiting for Enter between the steps of the story.

use std::io::{self, BufRead as _, IsTerminal as _};

use tokio::sync::mpsc;

use super::say::Say;

/// Where Enter comes from, if anybody is there to press it.
pub struct Pause(Option<mpsc::Receiver<()>>);

impl Pause {
    /// Pauses only where standard input is a terminal, and never in `headless` mode.
    pub fn new(headless: bool) -> Self {
        if headless || !io::stdin().is_terminal() {
            return Self(None);
        }
        let (pressed, receiver) = mpsc::channel(1);
        // A thread of its own: a read of standard input cannot be cancelled, and tokio's would hold up the end of the program.
        std::thread::spawn(move || {
            for line in io::stdin().lock().lines() {
                if line.is_err() || pressed.blocking_send(()).is_err() {
                    return;
                }
            }
        });
        Self(Some(receiver))
    }

    /// Waits for Enter. The end of the input counts as Enter for the rest of the story.
    pub async fn wait(&mut self, say: Say) {
        if let Some(pressed) = &mut self.0 {
            say.note("      Enter goes on.");
            if pressed.recv().await.is_none() {
                self.0 = None;
            }
        }
    }
}
