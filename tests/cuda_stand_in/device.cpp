// What PyTorch's core asks of a CUDA build, or with STAND_IN_MPS of a Mac's, for a device that does nothing: tests/cuda_stand_in/device.py computes on
// the CPU in its place. Loaded with LD_PRELOAD, because PyTorch asks once, when it is imported.
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/detail/MPSHooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

namespace {
using namespace c10;

#ifdef STAND_IN_MPS
const DeviceType KIND = DeviceType::MPS;
#else
const DeviceType KIND = DeviceType::CUDA;
#endif
const Device FIRST(KIND, 0);
const Stream QUEUE(Stream::DEFAULT, FIRST);

struct Guard : impl::DeviceGuardImplInterface {
  DeviceType type() const override { return KIND; }
  Device exchangeDevice(Device) const override { return FIRST; }
  Device getDevice() const override { return FIRST; }
  void setDevice(Device) const override {}
  void uncheckedSetDevice(Device) const noexcept override {}
  DeviceIndex deviceCount() const noexcept override { return 1; }
  Stream getStream(Device) const override { return QUEUE; }
  Stream getNewStream(Device, int) const override { return QUEUE; }
  Stream exchangeStream(Stream) const override { return QUEUE; }
  bool queryStream(const Stream&) const override { return true; }
  void synchronizeStream(const Stream&) const override {}
  void record(void** event, const Stream&, const DeviceIndex, const EventFlag) const override { *event = this_event(); }
  void block(void*, const Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  void synchronizeEvent(void*) const override {}
  void destroyEvent(void*, const DeviceIndex) const noexcept override {}

 private:
  static void* this_event() {
    static char event;
    return &event;
  }
};

#ifdef STAND_IN_MPS
C10_REGISTER_GUARD_IMPL(MPS, Guard)
#else
C10_REGISTER_GUARD_IMPL(CUDA, Guard)
#endif
}  // namespace

namespace at {
// The name is the key under which PyTorch looks for it.
struct CUDAHooks : CUDAHooksInterface {
  explicit CUDAHooks(CUDAHooksArgs) {}
  void init() const override {}
  bool hasCUDA() const override { return true; }
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(DeviceIndex) const override { return true; }
  DeviceIndex deviceCount() const override { return 1; }
  DeviceIndex getCurrentDevice() const override { return 0; }
  DeviceIndex exchangeDevice(DeviceIndex) const override { return 0; }
  DeviceIndex maybeExchangeDevice(DeviceIndex) const override { return 0; }
  void setCurrentDevice(DeviceIndex) const override {}
};

struct MPSHooks : MPSHooksInterface {
  void init() const override {}
  bool hasMPS() const override { return true; }
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(DeviceIndex) const override { return true; }
  DeviceIndex deviceCount() const override { return 1; }
  DeviceIndex getCurrentDevice() const override { return 0; }
};

#ifdef STAND_IN_MPS
REGISTER_MPS_HOOKS(MPSHooks)
#else
REGISTER_CUDA_HOOKS(CUDAHooks)
#endif
}  // namespace at
