import API

extension APIClient {
    /// Newest first.
    package func revisions(of idOrName: String) async throws -> [RevisionView] {
        try await call(.environmentRevisions, idOrName)
    }

    package func baselineRevisions(_ idOrName: String) async throws -> [RevisionView] {
        try await call(.baselineRevisions, idOrName)
    }

    package func rollbackEnvironment(_ idOrName: String, _ request: RollbackRequest) async throws -> ChangeView {
        try await call(.rollbackEnvironment, idOrName, body: request)
    }

    package func rebaseEnvironment(_ idOrName: String, _ request: RebaseRequest) async throws -> ChangeView {
        try await call(.rebaseEnvironment, idOrName, body: request)
    }

    /// How the second differs from the first; either is `<name>` or `<name>@<revision>`.
    package func difference(from first: String, to second: String) async throws -> SpecDifferenceView {
        let parts = first.split(separator: "@", maxSplits: 1).map(String.init)
        return try await call(
            .environmentDifference, parts.first ?? first,
            query: [("to", second), ("revision", parts.count > 1 ? parts[1] : nil)])
    }
}
