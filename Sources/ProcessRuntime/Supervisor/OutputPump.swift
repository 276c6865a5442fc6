import CPlatform
import Foundation
import Glibc
import Synchronization

/// One thread that reads what all services write, and hears the signals. It writes to the log files itself: a slow disk
/// slows the services down (their pipes fill), and never makes memory grow.
final class OutputPump: Sendable {
    private let pipes = Mutex<[Int32: OutputPipe]>([:])
    private let wakeRead: Int32
    private let wakeWrite: Int32
    private let signals: Int32
    private let onSignal: @Sendable (Int32) -> Void

    /// - Parameter signals: see `msx_watch_signals`.
    init(signals: Int32, onSignal: @escaping @Sendable (Int32) -> Void) {
        var ends: [Int32] = [-1, -1]
        let result = msx_output_pipe(&ends)
        precondition(result == 0, "no descriptors left at the start of the supervisor")
        wakeRead = ends[0]
        wakeWrite = ends[1]
        self.signals = signals
        self.onSignal = onSignal
    }

    /// Runs until the process ends.
    func start() {
        let thread = Thread { [self] in
            while true { round() }
        }
        thread.name = "output"
        thread.start()
    }

    func add(_ pipe: OutputPipe) {
        pipes.withLock { $0[pipe.descriptor] = pipe }
        wake()
    }

    private func wake() {
        var byte: UInt8 = 1
        // A full pipe already wakes the thread.
        _ = write(wakeWrite, &byte, 1)
    }

    private func round() {
        let current = pipes.withLock { $0 }
        var items = [wakeRead, signals].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        items += current.keys.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        guard poll(&items, nfds_t(items.count), -1) > 0 else { return }
        for item in items where item.revents != 0 {
            if item.fd == wakeRead {
                _ = takeBytes(wakeRead)
            } else if item.fd == signals {
                for number in Set(takeBytes(signals)) { onSignal(Int32(number)) }
            } else if let pipe = current[item.fd], !pipe.readSome() {
                pipes.withLock { if $0[item.fd] === pipe { $0[item.fd] = nil } }
                pipe.release()
            }
        }
    }

    private func takeBytes(_ descriptor: Int32) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = read(descriptor, &bytes, bytes.count)
        return Array(bytes.prefix(max(count, 0)))
    }
}
