import API
import EnvironmentGraph
import Orchestration
import SQLiteStore
import Storage

/// `GET /metrics`: what was counted, and how things stand at the moment of asking.
struct ServerMetrics: Sendable {
    let book: MetricsBook
    let store: SQLiteStore
    let board: StatusBoard
    let gateway: GatewayKeeper
    let routes: RoutePublisher
    let readiness: Readiness
    let version: String
    /// Milliseconds since 1970.
    let startedAt: Int64

    func text() async throws -> String {
        var text = MetricsText()
        text.add(
            "microstax_build", .gauge, "1, with the version as its label.",
            [MetricsText.Sample(labels: [.init("version", version)], value: 1)])
        ProcessMeasures(startedAt: startedAt).add(to: &text)
        addCounts(&text)
        try await addStore(&text)
        addObserved(&text)
        await addGateway(&text)
        if let measures = await gateway.measures() {
            // Without counts there are no leaks to tell; everything else is told.
            let counts = try? await gateway.countSnapshot()
            RequestMetrics(measures, counts, names: try await store.read { try $0.names() }).add(to: &text)
        }
        let parts = await readiness.parts()
        text.add(
            "microstax_ready", .gauge, "Whether a part of the server can take work.",
            parts.map { MetricsText.Sample(labels: [.init("part", $0.name)], value: $0.reason == nil ? 1 : 0) })
        return text.text
    }

    private func addCounts(_ text: inout MetricsText) {
        let counts = book.counts
        text.add(
            "microstax_api_requests_total", .counter, "Requests to the API by operation and status.",
            counts.requests.sorted { ($0.key.operation, $0.key.status) < ($1.key.operation, $1.key.status) }.map {
                MetricsText.Sample(
                    labels: [.init("operation", $0.key.operation), .init("status", "\($0.key.status)")],
                    value: Double($0.value))
            })
        text.add(
            "microstax_api_request_seconds", "Time from a request to the head of its reply.",
            counts.requestTimes.sorted { $0.key < $1.key }.map {
                MetricsText.Series(labels: [.init("operation", $0.key)], histogram: $0.value)
            })
        text.add(
            "microstax_store_transactions_total", .counter, "Transactions of the store by kind and outcome.",
            counts.transactions.sorted { ($0.key.kind, $0.key.outcome) < ($1.key.kind, $1.key.outcome) }.map {
                MetricsText.Sample(
                    labels: [.init("kind", $0.key.kind), .init("outcome", $0.key.outcome)], value: Double($0.value))
            })
        text.add(
            "microstax_store_transaction_seconds", "Time of a transaction, waiting for its turn included.",
            counts.transactionTimes.sorted { $0.key < $1.key }.map {
                MetricsText.Series(labels: [.init("kind", $0.key)], histogram: $0.value)
            })
        text.add(
            "microstax_step_seconds", "Time of an execution's step by what it does and how it ended.",
            counts.steps.sorted { ($0.key.action, $0.key.outcome) < ($1.key.action, $1.key.outcome) }.map {
                MetricsText.Series(
                    labels: [.init("action", $0.key.action), .init("outcome", $0.key.outcome)], histogram: $0.value)
            })
        text.add(
            "microstax_reconcile_total", .counter, "Looks at an environment, and services applied again by them.",
            ["look", "applied_again"].map {
                MetricsText.Sample(labels: [.init("event", $0)], value: Double(counts.events[$0] ?? 0))
            })
    }

    private func addStore(_ text: inout MetricsText) async throws {
        let measures = try await store.measures()
        text.add("microstax_store_bytes", .gauge, "Size of the store's file.", Double(measures.bytes))
        text.add("microstax_store_log_bytes", .gauge, "Size of the store's write-ahead log.", Double(measures.logBytes))
        text.add(
            "microstax_environments", .gauge, "Environments by mode and state.",
            measures.environments.map {
                MetricsText.Sample(labels: [.init("mode", $0.kind), .init("state", $0.state)], value: Double($0.count))
            })
        text.add(
            "microstax_executions", .gauge, "Stored executions by kind and state.",
            measures.executions.map {
                MetricsText.Sample(labels: [.init("kind", $0.kind), .init("state", $0.state)], value: Double($0.count))
            })
    }

    private func addObserved(_ text: inout MetricsText) {
        let census = board.census
        text.add(
            "microstax_observed_environments", .gauge, "Environments that a runtime reports.",
            Double(census.environments))
        text.add(
            "microstax_services", .gauge, "Services that a runtime reports, by state.",
            census.services.sorted { $0.key < $1.key }.map {
                MetricsText.Sample(labels: [.init("state", $0.key)], value: Double($0.value))
            })
    }

    private func addGateway(_ text: inout MetricsText) async {
        let current = await gateway.currentTableVersion()
        text.add("microstax_gateway_up", .gauge, "Whether the gateway answers.", current == nil ? 0 : 1)
        if let current {
            text.add(
                "microstax_gateway_table_version", .gauge, "Of the table that the gateway routes by.", Double(current))
        }
        if let wanted = await routes.publishedVersion() {
            text.add(
                "microstax_gateway_table_version_wanted", .gauge, "Of the table that it was given last.", Double(wanted)
            )
        }
    }
}
