namespace Sentiric.Speech.Native;

/// <summary>A tensor whose memory is ours. Belongs to one stream; not shared between threads.</summary>
public abstract class OnnxTensor : IDisposable
{
    private protected OnnxTensor()
    {
    }

    internal abstract nint Value { get; }

    public abstract void Dispose();
}

/// <summary>A tensor of <typeparamref name="T"/> (float, int or long) over a pinned array, so a run copies nothing in or out.</summary>
public sealed unsafe class OnnxTensor<T> : OnnxTensor
    where T : unmanaged
{
    private readonly T[] data;
    private readonly OnnxHandle handle;

    internal OnnxTensor(OnnxRuntime runtime, ReadOnlySpan<long> shape)
    {
        long elements = 1;
        foreach (long dimension in shape)
        {
            elements *= dimension;
        }

        data = GC.AllocateArray<T>((int)elements, pinned: true);
        nint value;
        fixed (T* memory = data)
        fixed (long* dimensions = shape)
        {
            runtime.Check(((delegate* unmanaged<nint, void*, nuint, long*, nuint, int, nint*, nint>)runtime.Entry(OrtEntry.CreateTensorWithDataAsOrtValue))(
                runtime.CpuMemory, memory, (nuint)(elements * sizeof(T)), dimensions, (nuint)shape.Length, ElementType(), &value));
        }

        handle = new OnnxHandle(runtime, value, OrtEntry.ReleaseValue);
    }

    public Span<T> Data => data;

    internal override nint Value => handle.DangerousGetHandle();

    public override void Dispose() => handle.Dispose();

    // enum ONNXTensorElementDataType
    private static int ElementType() =>
        typeof(T) == typeof(float) ? 1
        : typeof(T) == typeof(int) ? 6
        : typeof(T) == typeof(long) ? 7
        : throw new NotSupportedException($"Tensors of {typeof(T).Name} are not used by any speech model.");
}
