import Glibc

/// One segment, open for reading at any place.
final class SegmentFile {
    private let descriptor: Int32

    /// `nil` where it is not there any more.
    init?(_ path: String) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { return nil }
    }

    deinit { close(descriptor) }

    var size: Int { Int(max(lseek(descriptor, 0, SEEK_END), 0)) }

    /// At most so many bytes; fewer at the end.
    func read(at offset: Int, _ count: Int) -> [UInt8] {
        guard count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            done = 0
            while done < count {
                let got = pread(descriptor, buffer.baseAddress.map { $0 + done }, count - done, off_t(offset + done))
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { return }
                done += got
            }
        }
    }
}
