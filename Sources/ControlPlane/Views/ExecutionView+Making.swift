import API
import EnvironmentGraph

extension ExecutionView {
    init(_ record: ExecutionRecord) {
        self.init(
            id: record.id.rawValue, environment: record.environment.rawValue, kind: record.kind.rawValue,
            state: record.state.rawValue, error: record.error, steps: record.steps.map { StepView($0) },
            createdAt: timestamp(record.createdAt), finishedAt: record.finishedAt.map(timestamp), actor: record.actor,
            reason: record.reason)
    }
}

extension StepView {
    init(_ record: StepRecord) {
        let failed = record.state == .failed || record.state == .outcomeUnknown
        self.init(
            key: record.plan.key, title: record.plan.title, state: record.state.rawValue, attempt: record.attempt,
            reason: record.plan.reason, startedAt: record.startedAt.map(timestamp),
            finishedAt: record.finishedAt.map(timestamp), message: failed ? nil : record.message,
            error: failed ? record.message : nil)
    }
}
