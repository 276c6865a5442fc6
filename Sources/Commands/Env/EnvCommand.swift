import ArgumentParser

struct EnvCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "env",
        abstract: "Environments of every mode: isolated ones, baselines and overlays.",
        subcommands: [
            EnvValidate.self, EnvCreate.self, EnvList.self, EnvGet.self, EnvStatus.self, EnvExplain.self, EnvPlan.self,
            EnvGraph.self, EnvCalls.self,
            EnvTraces.self,
            EnvLogs.self, EnvMetrics.self, EnvExecutions.self, EnvEvents.self, EnvDiagnose.self,
            EnvDeviations.self, EnvRepair.self, EnvExec.self, EnvWait.self, EnvStop.self, EnvResume.self,
            EnvRestart.self, EnvUpdate.self, EnvHistory.self, EnvRollback.self, EnvDiff.self, EnvScale.self,
            EnvRetry.self, EnvUndo.self, EnvExtend.self, EnvDelete.self,
        ])
}
