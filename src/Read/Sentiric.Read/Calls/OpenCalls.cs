using Sentiric.Contracts.Services;

namespace Sentiric.Read.Calls;

/// <summary>Reads the live board for the sip role: the calls that have no end yet.</summary>
public sealed class OpenCalls(Tables tables) : IOpenCalls
{
    private const int MaxCalls = 1_000;

    public async ValueTask<IReadOnlyList<OpenCall>> ListAsync(DateTimeOffset before, CancellationToken ct) => await tables.QueryAsync(
        $"select call_id, tenant, started_at, answered_at from read_live_call where started_at < $1 order by started_at, call_id limit {MaxCalls}",
        row =>
        {
            var c = new RowReader(row);
            return new OpenCall(c.Guid(), c.Text(), c.Time(), c.TimeOrNull());
        }, ct, before.UtcDateTime);
}
