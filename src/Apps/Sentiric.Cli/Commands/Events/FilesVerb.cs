using Sentiric.Cli.Show;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands.Events;

/// <summary>Old calls and chats out of the tables into compressed files, and back.</summary>
internal static class FilesVerb
{
    private const int MaxDays = 36_500;

    public static EventsVerb Verb { get; } = new(
        "files",
        """
        sentiric events files archive --older-than DAYS [--of TENANT] [--max STREAMS]
        sentiric events files restore [--of TENANT [--stream ID]]
        sentiric events files verify
        Moves calls and chats that ended long ago into compressed files in Store__ArchiveFolder, and back. They can still be read one by one;
        read models that are rebuilt do not see them, so restore first. verify compares every hash.
        """,
        ["--older-than", "--of", "--max", "--stream"], [], RunAsync);

    private sealed record ArchiveWish(int OlderThanDays, string? Tenant, int? MaxStreams);

    private sealed record RestoreWish(string? Tenant, string? Stream);

    private static Task<int> RunAsync(Session session, CancellationToken ct)
    {
        var told = session.Arguments;
        var what = told.Word(1, "archive, restore or verify");
        told.NoMoreThan(2);
        return what switch
        {
            "archive" => MoveAsync(session, "archive", Wish(told), "moved into files", ct),
            "restore" => MoveAsync(session, "restore", new RestoreWish(told.Option("--of"), told.Option("--stream")), "put back into the tables", ct),
            "verify" => VerifyAsync(session, ct),
            _ => throw new UsageException($"events files {what}: archive, restore or verify is needed."),
        };
    }

    private static ArchiveWish Wish(Arguments told)
    {
        told.Needed("--older-than");
        return new(told.Number("--older-than", 0, 1, MaxDays), told.Option("--of"), told.Option("--max") is null ? null : told.Number("--max", 0, 1, int.MaxValue));
    }

    private static async Task<int> MoveAsync(Session session, string path, object wish, string done, CancellationToken ct)
    {
        var moved = await session.Api.PostPatientlyAsync<FileMoveReply>("v1/events/files/" + path, wish, ct);
        if (session.Json) return session.PrintJson(moved);
        session.Terminal.Line($"{Words.Grouped(moved.Events)} events of {Words.Grouped(moved.Streams)} streams {done}; files of {Words.Grouped(moved.Bytes)} bytes");
        return Cli.Ok;
    }

    private static async Task<int> VerifyAsync(Session session, CancellationToken ct)
    {
        var found = await session.Api.PostPatientlyAsync<FileCheckReply>("v1/events/files/verify", null, ct);
        if (session.Json) return session.PrintJson(found);
        session.Terminal.Line($"{Words.Grouped(found.Files)} files are as they were written");
        foreach (var file in found.Unused) session.Terminal.Line($"no stream lies in {file}: it may be deleted");
        return Cli.Ok;
    }
}
