/// How many transactions run or wait, by lane; chooses the reader with the fewest.
struct Queues {
    private var readers: [Int]
    private var writer = 0
    private let limit: Int

    init(readers: Int, limit: Int = SQLiteStore.waitingLimit) {
        self.readers = [Int](repeating: 0, count: readers)
        self.limit = limit
    }

    private var isFull: Bool { readers.reduce(writer, +) >= limit }

    /// - Returns: `nil` where no more may wait. Whoever was given a reader gives it back.
    mutating func takeReader() -> Int? {
        guard !isFull else { return nil }
        var least = 0
        for index in readers.indices where readers[index] < readers[least] { least = index }
        readers[least] += 1
        return least
    }

    mutating func leaveReader(_ index: Int) { readers[index] -= 1 }

    mutating func takeWriter() -> Bool {
        guard !isFull else { return false }
        writer += 1
        return true
    }

    mutating func leaveWriter() { writer -= 1 }
}
