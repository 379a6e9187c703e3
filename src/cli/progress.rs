//! A progress bar with rate and time left, on a terminal and nowhere else.

use crate::lab::bench;
use crate::run::oneshot::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The bar; silent where nobody looks.
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar on stderr, or none.
    pub fn new(visible: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() });
        let style = ProgressStyle::with_template("{msg:28} {bar:30} {bytes:>10} of {total_bytes}  {bytes_per_sec}  {eta} left");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message("reading");
        Self(bar)
    }
    /// Takes note. Compressed inputs decode to more than their size: the total grows with them.
    pub fn tell(&self, progress: Progress) {
        match progress {
            Progress::Total(bytes) => self.0.set_length(bytes),
            Progress::Bytes(n) => {
                self.0.inc(n);
                if self.0.position() > self.0.length().unwrap_or(0) {
                    self.0.set_length(self.0.position());
                }
            }
            Progress::Stage(name) => {
                self.0.set_message(name);
                self.0.tick();
            }
        }
    }
    /// The same for a benchmark, whose measurements are counted once everything is read.
    pub fn tell_bench(&self, progress: bench::Progress) {
        match progress {
            bench::Progress::Reading(progress) => self.tell(progress),
            bench::Progress::Measuring { done, of, name } => {
                if let Ok(style) = ProgressStyle::with_template("{msg:28} {bar:30} {pos} of {len} measured") {
                    self.0.set_style(style);
                }
                self.0.set_length(of as u64);
                self.0.set_position(done as u64);
                self.0.set_message(name);
                self.0.tick();
            }
        }
    }
    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
