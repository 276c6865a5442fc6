import API
import APIClient

/// Holds `baseline …` and `overlay …` to environments of that mode.
struct Membership {
    let mode: String

    @discardableResult
    func check(_ idOrName: String, _ client: APIClient) async throws -> EnvironmentView {
        let found = try await client.environment(idOrName)
        guard found.mode == mode else {
            throw CommandFailure(
                .failed, "\(found.name) is no \(mode): its mode is \(found.mode)",
                hint: "`microstax env` works on environments of every mode")
        }
        return found
    }
}
