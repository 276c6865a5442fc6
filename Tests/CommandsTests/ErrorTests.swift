import API
import APIClient
import Testing

@testable import Commands

@Suite struct ErrorTests {
    @Test func everyErrorCodeHasItsExitCode() {
        let expected: [ErrorCode: CommandStatus] = [
            .invalidRequest: .invalidInput, .invalidBlueprint: .invalidInput, .payloadTooLarge: .invalidInput,
            .unauthorized: .notAllowed, .forbidden: .notAllowed, .notFound: .failed, .nameTaken: .failed,
            .hasOverlays: .failed, .wrongState: .failed, .protected: .failed, .conflict: .failed,
            .unhealthyParent: .notHealthy,
            .notSupportedYet: .failed, .storageUnwritable: .failed, .unavailable: .tryAgain,
            .methodNotAllowed: .internalBug, .idempotencyKeyReused: .internalBug, .internalError: .internalBug,
            .upgradeRequired: .internalBug,
        ]
        for code in ErrorCode.allCases {
            let failure = APIFailure(status: code.status, error: APIError(code: code.rawValue, message: ""))
            #expect(CommandStatus(failure) == expected[code], "\(code)")
        }
    }

    @Test(arguments: [
        (400, CommandStatus.invalidInput), (401, .notAllowed), (404, .failed), (429, .tryAgain), (502, .unreachable),
        (503, .tryAgain), (500, .internalBug), (418, .failed),
    ])
    func anUnknownCodeGoesByItsStatus(status: Int, expected: CommandStatus) {
        #expect(CommandStatus(APIFailure(status: status, error: APIError(code: "new", message: ""))) == expected)
    }

    @Test func aRefusalIsPrintedWithItsDetailsAndHint() {
        let error = APIError(
            code: "invalid_blueprint", message: "the Blueprint has a problem", hint: "mend it",
            details: [
                ErrorDetail(
                    message: "unknown key `servces`", severity: "error", file: "shop.yaml", line: 3, column: 1,
                    hint: "did you mean `services`?"), ErrorDetail(message: "feat-refunds"),
            ])
        let report = ErrorReport(APIFailure(status: 422, error: error))
        #expect(report.status == .invalidInput)
        #expect(
            report.text(.plain) == """
                shop.yaml:3:1: error: unknown key `servces`
                  hint: did you mean `services`?
                  - feat-refunds
                error: the Blueprint has a problem
                hint: mend it
                """)
    }

    @Test func aServerThatIsAwayIsNamed() {
        let report = ErrorReport(ConnectionFailure(.notRunning, server: "127.0.0.1:9", "connection refused"))
        #expect(report.status == .unreachable)
        #expect(
            report.text(.plain) == """
                error: no server answers at 127.0.0.1:9
                cause: connection refused
                hint: start it with `microstax serve --detach`, or check MICROSTAX_API_URL
                """)
    }

    @Test func anythingElseIsOurBug() {
        struct Strange: Error {}
        #expect(ErrorReport(Strange()).status == .internalBug)
    }

    @Test func aTerminalIsNotSteeredByWhatAServerSays() {
        let error = APIError(code: "conflict", message: "a\u{1B}]0;title\u{07}b")
        #expect(!ErrorReport(APIFailure(status: 409, error: error)).text(.plain).contains("\u{1B}"))
    }

    @Test func aFailedWaitNamesStepReasonAndLogs() {
        let failed = Samples.step("service/payments/start", "failed", error: "exited with 3\nlast words")
        let environment = Samples.environment(
            state: "error", services: [Samples.service("payments", state: "failed", message: "exited with 3")])
        let failure = WaitFailure.failed(Samples.event("failed", environment: environment, [failed]), "did not come up")
        #expect(failure.status == .failed)
        #expect(failure.message == "shop did not come up: step service/payments/start failed")
        #expect(failure.causes == ["exited with 3\nlast words"])
        #expect(failure.hint?.contains("microstax env logs shop --service payments") == true)
    }

    @Test func aTimeLimitNamesWhatStillRuns() {
        let running = Samples.step("service/web/ready", "running", message: "no answer on 4000")
        let failure = WaitFailure.timedOut(Samples.event("running", [running]), "shop", 10_000, .execution("exe-1"))
        #expect(failure.status == .tryAgain)
        #expect(failure.message.hasSuffix("; the work on shop goes on (it is provisioning)"))
        #expect(
            WaitFailure.timedOut(nil, "shop", 10_000, .running).message.hasSuffix("; the work on shop goes on"))
        #expect(failure.causes == ["still running: service/web/ready (no answer on 4000)"])
        #expect(failure.hint == "go on watching with `microstax env wait shop`")
    }

    @Test func anInterruptionSaysHowToGoOnAndHowToUndo() {
        let failure = WaitFailure.interrupted(Samples.event("running", []), "env-1", .execution("exe-1"))
        #expect(failure.status == .interrupted)
        #expect(failure.hint?.contains("microstax env wait shop") == true)
        #expect(failure.hint?.contains("microstax env delete shop") == true)
        let deleting = WaitFailure.interrupted(nil, "shop", .deletion("exe-2"))
        #expect(deleting.hint == "go on watching with `microstax env wait shop --for deleted`")
    }
}
