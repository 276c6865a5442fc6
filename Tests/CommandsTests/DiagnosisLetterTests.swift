import API
import Testing

@testable import Commands

@Suite struct DiagnosisLetterTests {
    private func diagnosis(_ findings: [FindingView]) -> DiagnosisView {
        DiagnosisView(
            environment: Samples.environment(state: findings.isEmpty ? "running" : "degraded"),
            healthy: findings.isEmpty, findings: findings, lookedAt: ["7 services", "the gateway"])
    }

    private let finding = FindingView(
        code: "missing_module", severity: "error", confidence: "likely", service: "payments",
        cause: "payments needs the module stripe, which is not there.",
        evidence: [EvidenceView(source: "log", line: "No module named \u{1B}[31m'stripe'")],
        suggestions: [
            SuggestionView(
                id: "repair-payments", title: "install it", command: "pip install stripe", applicable: false),
            SuggestionView(
                id: "retry", title: "then go on", command: "microstax env retry shop", applicable: true,
                operation: "retryEnvironment"),
        ], consequences: [ConsequenceView(service: "checkout", what: "waits for payments")],
        also: ["exits: payments ends with exit code 1."])

    @Test func aLetterHasCauseEvidenceConsequencesAndWhatMends() {
        let letter = DiagnosisTables(palette: .plain).letter(diagnosis([finding]))
        #expect(
            letter == """
                shop is degraded: 1 finding, 1 more service is down because of it

                1. error payments missing_module (likely)
                   payments needs the module stripe, which is not there.
                     log       No module named \u{FFFD}[31m'stripe'
                   because of it: checkout waits for payments
                   also: exits: payments ends with exit code 1.
                   fix: install it
                        pip install stripe
                   fix: then go on
                        microstax env retry shop
                        or microstax env diagnose shop --apply retry

                """)
    }

    @Test func aHealthyEnvironmentSaysSo() {
        let letter = DiagnosisTables(palette: .plain).letter(diagnosis([]))
        #expect(letter == "shop is running: nothing is wrong\nlooked at: 7 services, the gateway\n")
    }

    @Test func aFailedWaitEndsWithTheFirstCause() {
        let failed = Samples.step("service/payments/ready", "failed", error: "exited with 1")
        let failure = WaitFailure.failed(Samples.event("failed", [failed]), "did not come up", finding: finding)
        #expect(failure.causes.last == finding.cause)
        #expect(failure.hint?.contains("microstax env diagnose shop") == true)
    }
}
