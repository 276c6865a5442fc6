/// Ends what takes longer than a person wants to wait.
enum Limited {
    /// - Throws: ``CommandFailure`` `.tryAgain` when the limit passes first.
    static func run(_ limit: Duration?, _ body: @escaping @Sendable () async throws -> Void) async throws {
        guard let limit else { return try await body() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(operation: body)
            group.addTask {
                try await ContinuousClock().sleep(for: limit)
                throw CommandFailure(.tryAgain, "the time limit passed")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
