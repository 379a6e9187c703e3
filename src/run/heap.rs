//! Memory that is free goes back to the system between days.
//!
//! A day takes and gives back some hundreds of megabytes in pieces of all sizes. The system's allocator keeps them, and the pieces of the
//! next day do not fit into the holes: without this, a month takes half as much again as its largest day (docs/benchmarks.md).

/// Gives back what is free. Where the allocator has no such call, it does nothing.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
pub fn give_back() {
    // SAFETY: the call takes a number, holds the allocator's own locks, and leaves all that is in use where it is.
    unsafe { libc::malloc_trim(0) };
}

/// Gives back what is free. Where the allocator has no such call, it does nothing.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back() {}
