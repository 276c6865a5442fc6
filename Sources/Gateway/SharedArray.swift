/// An array of which a changed copy shares nearly everything with the one before: it is made of pieces, and a change copies
/// one of these and the list of them.
///
/// Who asks for an index that it was not given gets, outside of debug builds, only the piece checked.
struct SharedArray<Element: Sendable>: Sendable {
    private var pieces: [[Element]] = []
    private(set) var count = 0

    private static var bits: Int { 6 }
    private static var size: Int { 1 << bits }

    init() {}

    init(repeating element: Element, count: Int) {
        let piece = Array(repeating: element, count: Self.size)
        pieces = Array(repeating: piece, count: (count + Self.size - 1) / Self.size)
        self.count = count
    }

    init(_ elements: some Sequence<Element>) {
        for element in elements { append(element) }
    }

    @inline(__always)
    subscript(index: Int) -> Element {
        get {
            // Without looking at the piece's own count, which is another line of memory.
            pieces[index >> Self.bits].withUnsafeBufferPointer { piece in
                assert(index >= 0 && index < count)
                return piece[index & (Self.size - 1)]
            }
        }
        _modify { yield &pieces[index >> Self.bits][index & (Self.size - 1)] }
    }

    mutating func append(_ element: Element) {
        if count & (Self.size - 1) == 0 && count >> Self.bits == pieces.count {
            var piece: [Element] = []
            piece.reserveCapacity(Self.size)
            pieces.append(piece)
        }
        pieces[count >> Self.bits].append(element)
        count += 1
    }

    var indices: Range<Int> { 0..<count }
}

extension SharedArray: Sequence {
    func makeIterator() -> AnyIterator<Element> {
        var index = 0
        return AnyIterator {
            guard index < count else { return nil }
            defer { index += 1 }
            return self[index]
        }
    }
}

/// Gives places in a ``SharedArray`` again that have become free.
struct FreePlaces: Sendable {
    private var free: [Int32] = []

    mutating func give(_ place: Int) { free.append(Int32(place)) }
    mutating func take() -> Int? { free.popLast().map(Int.init) }
}
