import CPlatform
import Glibc

/// Memory for a ``TraceTable`` that other processes may map too, by its descriptor. It lasts as long as one process has it.
final class TraceRegion: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Valid as long as this is.
    let descriptor: Int32
    let table: TraceTable
    private let size: Int

    /// - Parameter capacity: how many ids are remembered at most, rounded up to a power of two; 48 bytes each, of which
    ///   memory is taken as they come. Fewer where no file of that size can be made.
    convenience init(capacity: Int) throws(Failure) {
        var buckets = TraceTable.fewestBuckets
        while buckets * TraceTable.ways < capacity { buckets *= 2 }
        var descriptor = msx_shared_file(TraceTable.size(buckets: buckets))
        // A process whose files may not be that large (`ulimit -f`) remembers less rather than nothing.
        while descriptor < 0, buckets > TraceTable.fewestBuckets {
            buckets /= 2
            descriptor = msx_shared_file(TraceTable.size(buckets: buckets))
        }
        try self.init(descriptor: descriptor)
        table.make(buckets: buckets)
    }

    /// What another process made, perhaps one of another version.
    convenience init(adopting descriptor: Int32) throws(Failure) {
        try self.init(descriptor: descriptor)
        guard size >= TraceTable.size(buckets: TraceTable.fewestBuckets), table.isMade,
            table.buckets.nonzeroBitCount == 1, table.buckets < size, TraceTable.size(buckets: table.buckets) == size
        else { throw Failure(description: "its memory of traces is of another version") }
    }

    /// - Parameter descriptor: is closed when this ends, or fails.
    private init(descriptor: Int32) throws(Failure) {
        size = descriptor >= 0 ? Int(lseek(descriptor, 0, SEEK_END)) : -1
        guard size > 0, let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
            base != MAP_FAILED
        else {
            if descriptor >= 0 { close(descriptor) }
            throw Failure(description: "no memory for traces: \(String(cString: strerror(errno)))")
        }
        self.descriptor = descriptor
        table = TraceTable(base: base)
    }

    deinit {
        munmap(table.base, size)
        close(descriptor)
    }

    func isSame(as other: TraceRegion) -> Bool { table.identity == other.table.identity }
}
