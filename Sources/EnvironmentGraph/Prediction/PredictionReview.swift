/// What was predicted, beside what was called.
package struct PredictionReview: Sendable, Hashable {
    package struct Service: Sendable, Hashable {
        package var name: String
        /// Calls in the environment's context.
        package var calls: UInt64
        package var lastAt: Int64?
        /// Why it was predicted, or not.
        package var reason: String
    }

    /// Each sorted by name.
    package let hits: [Service]
    package let neverCalled: [Service]
    package let surprises: [Service]
    /// Requests from outside.
    package let requests: UInt64

    /// - Parameter observed: of this environment alone.
    package init(_ prediction: Prediction, _ observed: ObservedCalls?) {
        let edges = (observed?.edges ?? []).filter { $0.count > 0 }
        requests = edges.filter { $0.caller == nil }.map(\.count).reduce(0, +)
        var (hits, never, surprises): ([Service], [Service], [Service]) = ([], [], [])
        for service in prediction.services {
            let calls = edges.filter { $0.callee == service.name }
            let row = Service(
                name: service.name, calls: calls.map(\.count).reduce(0, +), lastAt: calls.map(\.lastAt).max(),
                reason: service.reason)
            switch (service.isExercised, row.calls > 0) {
            case (true, true): hits.append(row)
            case (true, false): never.append(row)
            case (false, true): surprises.append(row)
            case (false, false): break
            }
        }
        (self.hits, neverCalled, self.surprises) = (hits, never, surprises)
    }
}
