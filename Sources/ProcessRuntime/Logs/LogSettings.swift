/// How much of a service's output is kept.
package struct LogSettings: Sendable, Hashable {
    /// A segment is closed when it has grown past this.
    package var segmentBytes: Int
    /// Segments per service, the present one included; the oldest is removed.
    package var segments: Int

    package init(segmentBytes: Int = 16 << 20, segments: Int = 8) {
        self.segmentBytes = segmentBytes
        self.segments = segments
    }
}
