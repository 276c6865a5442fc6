import API
import Blueprints
import EnvironmentGraph
import HTTPTransport
import Orchestration
import Runtimes
import Storage

/// Running a command in a service while somebody watches: what can be refused is refused before the WebSocket opens.
extension APIHandler {
    /// Where something of an environment's services may be there to run a command beside. A failed one too: that is when
    /// people want to look.
    static let execStates: Set<EnvironmentState> = [.provisioning, .running, .degraded, .resuming, .updating, .error]

    func exec(_ named: String, _ call: APICall) async throws -> HTTPResponse {
        try call.refuseParameters(except: "service")
        guard let service = call.request.query["service"], !service.isEmpty else {
            throw APIProblem(.invalidRequest, "service says where the command runs", hint: "?service=<name>")
        }
        let picture = try await operations.picture(of: named)
        try Self.checkRunsCommands(service, picture)
        let record = picture.record
        return .webSocket(
            WebSocketUpgrade(subprotocol: ExecMessage.subprotocol) { socket in
                let isAdmitted = operations.execs.begin(in: record.id)
                await ExecRelay(socket) { start in
                    guard isAdmitted else { throw Self.tooMany(record.name) }
                    return try await begin(start, service, record, actor: call.actor)
                } failure: {
                    Self.failure($0)
                }.run()
                if isAdmitted { operations.execs.end(of: record.id, at: outside.now()) }
            })
    }

    private func begin(
        _ start: ExecStart, _ service: String, _ record: EnvironmentRecord, actor: String
    ) async throws -> ExecEndpoint {
        guard let word = start.command.first, !word.isEmpty else {
            throw APIProblem(.invalidRequest, "start has no command")
        }
        let now = outside.now()
        try await store.write { store in
            try store.audit(
                API.Operation.environmentExec.rawValue, of: "\(record.name)/\(service)", by: actor, at: now)
        }
        let terminal = start.terminal.map { TerminalSize(columns: $0.columns, rows: $0.rows) }
        let command = ExecCommand(start.command, extraEnv: start.env ?? [:], terminal: terminal)
        return ExecEndpoint(try await operations.runtime.exec(command, in: service, of: record.id))
    }

    private static func checkRunsCommands(_ service: String, _ picture: EnvironmentPicture) throws {
        let (name, lineage) = (picture.record.name, picture.lineage)
        guard lineage.services.contains(service) else {
            throw APIProblem(
                .notFound, "\(name) has no service \(shortened(service))",
                hint: NearMiss.hint(service, among: lineage.services)
                    ?? "there is: \(lineage.services.joined(separator: ", "))")
        }
        guard let provider = lineage.resolve(service).provider else {
            throw APIProblem(.conflict, "\(name) removed \(service); nothing of it runs")
        }
        guard provider.environment == picture.record.id else {
            throw APIProblem(
                .conflict, "\(service) is inherited: its copy runs in \(provider.name)",
                hint: "microstax env exec \(provider.name) \(service) -- …")
        }
        let state = picture.record.state
        guard execStates.contains(state) else {
            let states = execStates.map(\.rawValue).sorted().joined(separator: ", ")
            throw APIProblem(
                .wrongState, "\(name) is \(state.rawValue); exec works in: \(states)",
                hint: state == .stopped ? "microstax env resume \(name)" : "microstax env status \(name)")
        }
    }

    private static func tooMany(_ name: String) -> APIProblem {
        APIProblem(
            .unavailable,
            "as many commands run as may: \(ExecSessions.limit) in \(name), "
                + "\(ExecSessions.totalLimit) in all environments", hint: "end one of them, then try again")
    }

    private static func failure(_ error: any Error) -> ExecFailure {
        if let error = error as? RuntimeError {
            switch error.code {
            case .programNotFound:
                return ExecFailure(
                    code: "program_not_found", message: error.message, hint: error.hint, exitCode: 127)
            case .programNotRunnable:
                return ExecFailure(
                    code: "program_not_runnable", message: error.message, hint: error.hint, exitCode: 126)
            case .invalidWorkload:
                return ExecFailure(
                    code: ErrorCode.invalidRequest.rawValue, message: error.message, hint: error.hint)
            default: break
            }
        }
        let problem = APIProblem(error).error
        return ExecFailure(code: problem.code, message: problem.message, hint: problem.hint)
    }
}

extension ExecEndpoint {
    init(_ session: any ExecSession) {
        self.init(
            write: { try await session.write($0) }, closeInput: { try await session.closeInput() },
            resize: { try await session.resize(TerminalSize(columns: $0.columns, rows: $0.rows)) },
            next: {
                switch try await session.next() {
                case .stdout(let bytes): .output(bytes)
                case .stderr(let bytes): .errors(bytes)
                case .exited(let code): .exitCode(code)
                case nil: nil
                }
            }, cancel: { await session.cancel() })
    }
}
