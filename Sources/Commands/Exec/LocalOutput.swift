import Dispatch

/// Writes to stdout and stderr in order, on a thread of its own: a terminal that was paused, or a slow reader, holds up
/// the command and nothing else.
struct LocalOutput: Sendable {
    private let queue = DispatchQueue(label: "microstax.output")

    /// Returns when it is written.
    func write(_ bytes: [UInt8], to stream: Terminal.Stream) async {
        let capture = Terminal.capture
        await withCheckedContinuation { continuation in
            queue.async {
                Terminal.$capture.withValue(capture) { Terminal.write(bytes, to: stream) }
                continuation.resume()
            }
        }
    }
}
