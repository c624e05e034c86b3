using Sentiric.Contracts.Services;

namespace Sentiric.Read.Calls;

/// <summary>Adds up the talk time in the call records. The second leg of a transfer has no record and is not in it; a call to a telephone of ours costs nothing and is not either.</summary>
public sealed class TalkTimes(Tables tables) : ITalkTime
{
    public async ValueTask<IReadOnlyList<TrunkTalkTime>> BetweenAsync(DateTimeOffset since, DateTimeOffset before, CancellationToken ct) => await tables.QueryAsync(
        """
        select trunk, sum(talk_ms)::bigint from read_call_record
        where direction = 'outbound' and trunk is not null and answered_at >= $1 and answered_at < $2 group by trunk order by trunk
        """,
        row =>
        {
            var c = new RowReader(row);
            return new TrunkTalkTime(c.TextOrNull(), c.Long());
        }, ct, since.UtcDateTime, before.UtcDateTime);
}
