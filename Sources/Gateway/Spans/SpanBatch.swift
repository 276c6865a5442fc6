/// Spans of one event loop on their way to the writer, in memory that is used again and again.
///
/// `@unchecked Sendable`: it belongs to one loop, then to the writer, then to the pool, never to two at once.
final class SpanBatch: @unchecked Sendable {
    static let capacity = 1024
    private static let maxTables = 255

    private let memory = UnsafeMutablePointer<HopSpan>.allocate(capacity: capacity)
    private(set) var count = 0
    /// Those whose positions the spans name.
    private(set) var tables: [CompiledTable] = []
    /// What to add to a span's start for nanoseconds since 1970.
    var wallOffset: Int64 = 0

    deinit { memory.deallocate() }

    var spans: UnsafeBufferPointer<HopSpan> { UnsafeBufferPointer(start: memory, count: count) }

    /// False where there is no room; nothing is kept then.
    func append(_ span: HopSpan, _ table: CompiledTable) -> Bool {
        guard count < Self.capacity else { return false }
        var index = tables.count - 1
        while index >= 0, tables[index] !== table { index -= 1 }
        if index < 0 {
            guard tables.count < Self.maxTables else { return false }
            index = tables.count
            tables.append(table)
        }
        // A plain value: nothing to deinitialise.
        (memory + count).initialize(to: span)
        memory[count].table = UInt8(truncatingIfNeeded: index)
        count += 1
        return true
    }

    func clear() {
        count = 0
        tables.removeAll(keepingCapacity: true)
    }
}

/// One event loop's way to the writer: a copy for each span, and one short lock for each batch. It never waits: where no
/// memory is free because the writer is behind, spans are lost and counted.
///
/// Used on its loop only.
final class SpanRecorder {
    private let store: SpanStore
    private var batch: SpanBatch?

    init(_ store: SpanStore) { self.store = store }

    func record(_ span: HopSpan, by table: CompiledTable) {
        if let batch, batch.append(span, table) { return }
        handOver()
        batch = store.take()
        guard let batch, batch.append(span, table) else { return store.lose(1) }
    }

    /// Gives away what there is; a few times a second, and when a batch is full.
    func handOver() {
        guard let batch, batch.count > 0 else { return }
        self.batch = nil
        batch.wallOffset = SpanClock.wallOffset()
        store.hand(batch)
    }
}
