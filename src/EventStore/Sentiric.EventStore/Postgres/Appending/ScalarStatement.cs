using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>One event of one stream; its parameters are set anew for each append.</summary>
internal sealed class ScalarStatement
{
    private readonly NpgsqlParameter<string?> _tenant, _aggregate, _type, _dotnet, _correlation, _causation, _actor;
    private readonly StreamIdParameter _stream;
    private readonly NpgsqlParameter<DateTime> _now;
    private readonly NpgsqlParameter<long> _expected;
    private readonly NpgsqlParameter<Guid> _id;
    private readonly NpgsqlParameter<ReadOnlyMemory<byte>> _data;
    private readonly NpgsqlParameter<byte[]?> _headers;

    public ScalarStatement(NpgsqlCommand command, EventTables tables)
    {
        Command = command;
        _tenant = Text();
        _stream = new StreamIdParameter(command.Parameters, tables);
        _aggregate = Text();
        _now = Typed<DateTime>(NpgsqlDbType.TimestampTz);
        _expected = Typed<long>(NpgsqlDbType.Bigint);
        _id = Typed<Guid>(NpgsqlDbType.Uuid);
        _type = Text();
        _dotnet = Text();
        _data = Typed<ReadOnlyMemory<byte>>(NpgsqlDbType.Jsonb);
        _correlation = Text();
        _causation = Text();
        _headers = Typed<byte[]?>(NpgsqlDbType.Jsonb);
        _actor = Text();
    }

    public NpgsqlCommand Command { get; }

    public async ValueTask<Placed?> ExecuteAsync(AppendRequest request, DateTimeOffset now)
    {
        Set(request, now);
        var isDone = false;
        try
        {
            await using var row = await Command.ExecuteReaderAsync().ConfigureAwait(false);
            if (!await row.ReadAsync().ConfigureAwait(false)) return null;
            isDone = true;
            return new Placed(row.GetInt64(1), [row.GetInt64(0)], row.GetDateTime(2));
        }
        catch (PostgresException cut) when (isDone && Failures.IsSessionEnded(cut))
        {
            throw new AppendOutcomeUnknownException(cut);
        }
    }

    private void Set(AppendRequest request, DateTimeOffset now)
    {
        var (plan, payload) = (request.Plan, request.Plan.Payloads[0]);
        var metadata = payload.Event.Metadata;
        _tenant.TypedValue = plan.Address.Tenant;
        _stream.Set(plan.Address.StreamId);
        _aggregate.TypedValue = plan.AggregateType;
        _now.TypedValue = now.UtcDateTime;
        _expected.TypedValue = plan.Expected.Value;
        _id.TypedValue = payload.Event.EventId;
        _type.TypedValue = payload.Name;
        _dotnet.TypedValue = DotnetName.Of(payload.Event.Data.GetType());
        _data.TypedValue = payload.Json;
        _correlation.TypedValue = metadata.CorrelationId;
        _causation.TypedValue = metadata.CausationId;
        _headers.TypedValue = payload.Headers;
        _actor.TypedValue = metadata.Actor;
    }

    private NpgsqlParameter<string?> Text() => Typed<string?>(NpgsqlDbType.Varchar);

    private NpgsqlParameter<T> Typed<T>(NpgsqlDbType type)
    {
        var parameter = new NpgsqlParameter<T> { NpgsqlDbType = type };
        Command.Parameters.Add(parameter);
        return parameter;
    }
}
