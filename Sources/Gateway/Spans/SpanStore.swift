import Dispatch
import Synchronization

/// What a gateway keeps of the requests that passed it: takes batches from the event loops, and writes them to files on a
/// thread of its own. Bounded everywhere: what does not fit is lost and counted, and nobody waits.
final class SpanStore: Sendable {
    private struct Pool {
        var free: [SpanBatch] = []
        var made = 0
    }

    private let queue = DispatchQueue(label: "microstax.spans", qos: .utility)
    private let pool = Mutex(Pool())
    private let maxBatches: Int
    private let lost = Atomic<UInt64>(0)
    private let recorded = Atomic<UInt64>(0)
    private let writer: SpanWriter
    let exporter: OTLPExporter?

    /// - Parameter folder: where the segment files are; made where it is missing.
    init(
        folder: String, limits: GatewayLimits, loops: Int, exporter: OTLPExporter? = nil, continuesLast: Bool = true
    ) {
        self.exporter = exporter
        maxBatches = max(2, limits.maxSpansInMemory / SpanBatch.capacity) * loops
        writer = SpanWriter(
            SpanSegments(
                folder: folder, maxBytes: limits.maxSpanSegmentBytes, maxSegments: limits.maxSpanSegments,
                continuesLast: continuesLast))
    }

    /// Since the start: how many were written, and how many were lost because there was no room or no disk.
    var counts: SpanCounts {
        SpanCounts(recorded: recorded.load(ordering: .relaxed), lost: lost.load(ordering: .relaxed))
    }

    func lose(_ count: Int) { lost.add(UInt64(count), ordering: .relaxed) }

    /// An empty batch; `nil` where all are on their way.
    func take() -> SpanBatch? {
        pool.withLock { pool in
            if let batch = pool.free.popLast() { return batch }
            guard pool.made < maxBatches else { return nil }
            pool.made += 1
            return SpanBatch()
        }
    }

    func hand(_ batch: SpanBatch) {
        queue.async { [self] in
            if writer.write(batch) {
                recorded.add(UInt64(batch.count), ordering: .relaxed)
            } else {
                lose(batch.count)
            }
            if let exporter, exporter.isActive { exporter.offer(batch.named) }
            batch.clear()
            pool.withLock { $0.free.append(batch) }
        }
    }

    /// Lets the writer wait, for tests of what happens meanwhile.
    func hold(until gate: DispatchSemaphore) { queue.async { gate.wait() } }

    /// Returns when everything that was handed over before is in the files.
    func flush() async {
        await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
    }
}
