import EnvironmentGraph
import Storage

/// Starting services of an environment anew, in place: because a person asks for it, or because reconciling finds no
/// other way.
package struct Restart: Sendable {
    /// Of its own.
    package var services: Set<String>
    /// The volumes of theirs whose data is lost (`service/volume`): see ``EnvironmentRecord/beginAnew(_:)``.
    package var beginningAnew: Set<String>
    package var reason: String?

    package init(_ services: Set<String>, beginningAnew: Set<String> = [], reason: String? = nil) {
        self.services = services
        self.beginningAnew = beginningAnew
        self.reason = reason
    }

    /// The record as it is to be realised, and the execution that does it.
    package func prepared(
        _ record: EnvironmentRecord, _ id: ExecutionID, at now: Int64
    ) -> (record: EnvironmentRecord, execution: ExecutionRecord) {
        var wanted = record
        wanted.renew(services)
        wanted.beginAnew(beginningAnew)
        let why = reason ?? "asked for"
        let plan = Planner.update(
            from: record, to: wanted, reasons: Dictionary(services.map { ($0, why) }, uniquingKeysWith: { $1 }),
            ensuresAll: false)
        let execution = ExecutionRecord(
            id: id, environment: record.id, kind: .restart, steps: plan.steps.map { StepRecord(plan: $0) },
            createdAt: now, reason: reason)
        return (wanted, execution)
    }
}
